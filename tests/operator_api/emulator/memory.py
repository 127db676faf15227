"""The emulator's memory: objects by resource, and what happened to them, in order.

An object that was stored is never changed, only replaced: whoever holds one holds what it was.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.operator_api.emulator import ownership
from tests.operator_api.emulator.kinds import WITHOUT_GENERATION

Manifest = dict[str, Any]
Place = tuple[str, str]


class Happening(NamedTuple):
    """One line of a watch."""

    version: int
    type: str
    resource: str
    manifest: Manifest
    before: Manifest | None = None
    """What it was, for watches whose selector it leaves."""


class Refused(Exception):  # noqa: N818  (what a real server would answer)
    """The request cannot be done: a status and a reason."""

    def __init__(self, status: int, reason: str, message: str, *, after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.after = after
        """Seconds for the header Retry-After."""


class Memory:
    """All objects, by resource. Each change is told to the listeners at once.

    :param chance: where uids come from.
    :param now: UTC time in RFC 3339.
    """

    def __init__(
        self, chance: random.Random | None = None, now: Callable[[], str] = lambda: "2026-11-23T00:00:00Z"
    ) -> None:
        self._versions = itertools.count(1000)
        self._chance = chance or random.Random()  # noqa: S311  (uids of a test)
        self._now = now
        self._objects: dict[str, dict[Place, Manifest]] = {}
        self._owners: dict[str, ownership.Owners] = {}
        self.history: list[Happening] = []
        self.compacted = 0
        self.listeners: list[Callable[[Happening], None]] = []
        self.version = 1000
        self.collects = True
        """Whether what an object owned goes right after it; else somebody calls `collect`."""
        self.closed: set[str] = set()
        """Namespaces that are being deleted: nothing new is let in."""

    def get(self, resource: str, namespace: str, name: str) -> Manifest:
        """One object, or 404."""
        try:
            return self._objects[resource][namespace, name]
        except KeyError:
            raise Refused(404, "NotFound", f'{resource} "{name}" not found') from None

    def find(self, resource: str, namespace: str, name: str) -> Manifest | None:
        """One object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def all(self, resource: str, namespace: str = "") -> Iterator[Manifest]:
        """The objects of a resource, by place."""
        for place, manifest in sorted(self._objects.get(resource, {}).items()):
            if namespace in ("", place[0]):
                yield manifest

    def everything(self) -> Iterator[tuple[str, Manifest]]:
        """All objects with their resource."""
        for resource in sorted(self._objects):
            for manifest in self.all(resource):
                yield resource, manifest

    def lives(self, uid: str) -> bool:
        """Whether an object of this uid is there."""
        return uid in self._owners

    def owners(self, uid: str) -> ownership.Owners:
        """Who owns which leaf of an object; one that applies is called as it calls itself."""
        return self._owners.get(uid, {})

    def vanish(self, resource: str, namespace: str, name: str) -> None:
        """Remove an object without a word, as it looks to a watcher that was cut off; history is forgotten."""
        del self._objects[resource][namespace, name]
        self.compact()

    def compact(self) -> None:
        """Forget all history: who asks for changes after an older version is told 410."""
        self.version = self.compacted = next(self._versions)
        self.history.clear()

    def overwrite(self, resource: str, living: Manifest, new: Manifest) -> Manifest:
        """Save if anything changed; the generation counts changes of the spec."""
        if new == living:
            return living
        new = new | {"metadata": dict(new["metadata"])}
        if new.get("spec") != living.get("spec") and resource not in WITHOUT_GENERATION:
            new["metadata"]["generation"] = living["metadata"].get("generation", 0) + 1
        return self._save(resource, new, "MODIFIED", living)

    def _save(self, resource: str, manifest: Manifest, what: str, before: Manifest | None) -> Manifest:
        self.version = next(self._versions)
        manifest = manifest | {"metadata": manifest["metadata"] | {"resourceVersion": str(self.version)}}
        metadata = manifest["metadata"]
        if what != "DELETED":
            self._objects.setdefault(resource, {})[metadata.get("namespace", ""), metadata["name"]] = manifest
        happening = Happening(self.version, what, resource, manifest, before)
        self.history.append(happening)
        for listener in tuple(self.listeners):
            listener(happening)
        return manifest
