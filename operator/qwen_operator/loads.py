"""Which pods load or fetch a model right now, where to ask them, and what they last said.

Why it exists: progress comes from the pods themselves and not from the API server, so it has a small cache of its own,
kept up by the same events. It must never know a pod that isn't loading.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from qwen_operator.core import names, pods
from qwen_operator.core.progress import Progress
from qwen_operator.core.snapshot import Manifest
from qwen_operator.keys import Key


@dataclass(frozen=True)
class Loader:
    """A pod that loads."""

    model: Key
    address: str
    """IP address of the pod."""


class Loads:
    """All pods that load.

    :param wake: told of the model whose progress is another one now.
    """

    def __init__(self, wake: Callable[[Key], None]) -> None:
        self._wake = wake
        self._said: dict[Key, Progress] = {}
        self.loaders: dict[Key, Loader] = {}

    def saw(self, key: Key, pod: Manifest | None) -> None:
        """A pod as it is now, or None when it is gone."""
        loader = _loader(key, pod) if pod else None
        if loader is None:
            self.loaders.pop(key, None)
            self._said.pop(key, None)
        else:
            self.loaders[key] = loader

    def heard(self, key: Key, said: Progress) -> None:
        """What a pod said; one that has ended meanwhile is not remembered."""
        loader = self.loaders.get(key)
        if loader is None or self._said.get(key) == said:
            return
        self._said[key] = said
        self._wake(loader.model)

    def of(self, keys: Iterable[Key]) -> tuple[Progress, ...]:
        """What these pods said last."""
        return tuple(said for key in keys if (said := self._said.get(key)))


def _loader(key: Key, pod: Manifest) -> Loader | None:
    address, model = pod.get("status", {}).get("podIP"), pods.label(pod, names.INSTANCE)
    if not address or not model or pods.leaving(pod) or not pods.running(pod):
        return None
    if pods.started(pod) and not pods.fetches(pod):
        return None
    return Loader(Key(key.namespace, model), address)
