"""Which pods load or fetch a model right now, where to ask them, and what they last said.

Why it exists: progress comes from the pods themselves and not from the API server, so it has a small cache of its own,
kept up by the same events. A replica that has started is asked once more, for what the load came to. It must never ask
a replica again that has answered that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from qwen_operator.core import names, pods
from qwen_operator.core.progress import Figures, Progress
from qwen_operator.core.snapshot import Manifest
from qwen_operator.keys import Key


@dataclass(frozen=True)
class Loader:
    """A pod that is to be asked."""

    model: Key
    address: str
    """IP address of the pod."""
    started: str = ""
    """When its server began, if it has loaded: only its figures are of interest."""


class Loads:
    """All pods that load.

    :param wake: told of the model whose progress is another one now.
    """

    def __init__(self, wake: Callable[[Key], None]) -> None:
        self._wake = wake
        self._said: dict[Key, Progress] = {}
        self._figures: dict[Key, tuple[str, Figures | None]] = {}
        """By pod: when its server began, and what it told."""
        self.loaders: dict[Key, Loader] = {}

    def saw(self, key: Key, pod: Manifest | None) -> None:
        """A pod as it is now, or None when it is gone."""
        loader = _loader(key, pod) if pod else None
        if loader is None or loader.started:
            self._said.pop(key, None)
        if loader is None:
            self._figures.pop(key, None)
        if loader is None or (loader.started and self._figures.get(key, ("",))[0] == loader.started):
            self.loaders.pop(key, None)
        else:
            self.loaders[key] = loader

    def heard(self, key: Key, asked: Loader, said: Progress) -> None:
        """What a pod said when it was asked; one that has ended, begun or loaded meanwhile is asked anew."""
        if self.loaders.get(key) != asked or self._said.get(key) == said:
            return
        if asked.started:
            self._figures[key] = (asked.started, said.measured)
            del self.loaders[key]
        else:
            self._said[key] = said
        self._wake(asked.model)

    def of(self, keys: Iterable[Key]) -> tuple[Progress, ...]:
        """What these pods said last."""
        return tuple(said for key in keys if (said := self._said.get(key)))

    def came_to(self, keys: Iterable[Key]) -> tuple[Figures, ...]:
        """What the loads of these pods came to, as far as they told."""
        found = (self._figures.get(key, ("", None))[1] for key in keys)
        return tuple(figures for figures in found if figures)


def _loader(key: Key, pod: Manifest) -> Loader | None:
    address, model = pod.get("status", {}).get("podIP"), pods.label(pod, names.INSTANCE)
    if not address or not model or pods.leaving(pod) or pods.pulls(pod) or not pods.running(pod):
        return None
    loaded = pods.started(pod) and not pods.fetches(pod)
    return Loader(Key(key.namespace, model), address, (pods.started_at(pod) or "once") if loaded else "")
