"""The emulator's memory: objects by resource, and what happened to them, in order."""

import copy
import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.operator_api.emulator import ownership

Manifest = dict[str, Any]
Place = tuple[str, str]

WITH_STATUS = frozenset({"qwenmodels", "deployments", "services", "pods", "persistentvolumeclaims"})


class Happening(NamedTuple):
    """One line of a watch."""

    version: int
    type: str
    resource: str
    manifest: Manifest


class Refused(Exception):  # noqa: N818  (what a real server would answer)
    """The request cannot be done: a status and a reason."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Objects:
    """All objects. Each change is told to the listeners at once."""

    def __init__(self) -> None:
        self._versions = itertools.count(1000)
        self._objects: dict[str, dict[Place, Manifest]] = {}
        self._owners: dict[str, ownership.Owners] = {}
        self.history: list[Happening] = []
        self.compacted = 0
        self.listeners: list[Callable[[Happening], None]] = []
        self.version = 1000

    def get(self, resource: str, namespace: str, name: str) -> Manifest:
        """One object, or 404."""
        try:
            return self._objects[resource][namespace, name]
        except KeyError:
            raise Refused(404, "NotFound", f'{resource} "{name}" not found') from None

    def all(self, resource: str, namespace: str = "") -> Iterator[Manifest]:
        """The objects of a resource, by place."""
        for place, manifest in sorted(self._objects.get(resource, {}).items()):
            if namespace in ("", place[0]):
                yield manifest

    def create(self, resource: str, namespace: str, manifest: Manifest, *, manager: str = "") -> Manifest:
        """A new object with uid and version; 409 if it is there."""
        owned = ownership.leaves(manifest)
        manifest = copy.deepcopy(manifest)
        metadata = manifest.setdefault("metadata", {})
        if (namespace, metadata["name"]) in self._objects.get(resource, {}):
            raise Refused(409, "AlreadyExists", f'{resource} "{metadata["name"]}" already exists')
        if metadata.get("uid"):
            raise Refused(409, "Conflict", "uid mismatch: an object of this uid does not exist")
        metadata |= {"namespace": namespace, "uid": str(uuid.uuid4()), "generation": 1}
        metadata["creationTimestamp"] = "2026-11-23T00:00:00Z"
        if resource == "services":
            manifest.setdefault("spec", {}).setdefault("clusterIP", "10.96.0.77")
        self._owners[metadata["uid"]] = {manager: owned} if manager else {}
        return self._save(resource, manifest, "ADDED")

    def apply(
        self, resource: str, namespace: str, name: str, body: Manifest, *, manager: str, status: bool
    ) -> Manifest:
        """Server-side apply, forced."""
        living = self._objects.get(resource, {}).get((namespace, name))
        if living is None:
            if status:
                raise Refused(404, "NotFound", f'{resource} "{name}" not found')
            return self.create(resource, namespace, body, manager=manager)
        self._precondition(living, (body.get("metadata") or {}).get("uid"))
        body = {"status": body.get("status", {})} if status else _without_status(resource, body)
        owners = self._owners[living["metadata"]["uid"]]
        merged = ownership.applied(living, body, owners, f"{manager}/status" if status else manager)
        return self.overwrite(resource, living, merged)

    def merge(self, resource: str, namespace: str, name: str, body: Manifest, *, status: bool = False) -> Manifest:
        """A JSON merge patch, as somebody else would send one; it takes the fields over from their managers."""
        living = self.get(resource, namespace, name)
        self._version_precondition(living, body)
        body = {"status": body.get("status", {})} if status else _without_status(resource, body)
        merged = ownership.merged(copy.deepcopy(living), body)
        gone = ownership.leaves(body) - ownership.leaves(merged)
        owners = self._owners[living["metadata"]["uid"]]
        owners.update({manager: owned - gone for manager, owned in owners.items()})
        return self.overwrite(resource, living, merged)

    def replace(self, resource: str, namespace: str, name: str, body: Manifest) -> Manifest:
        """A PUT: refused if the version in it is not the living one."""
        living = self.get(resource, namespace, name)
        self._version_precondition(living, body)
        return self.overwrite(resource, living, copy.deepcopy(body))

    def delete(self, resource: str, namespace: str, name: str, uid: str | None = None) -> Manifest:
        """Remove an object, and then whatever names it as its owner."""
        living = self.get(resource, namespace, name)
        self._precondition(living, uid)
        del self._objects[resource][namespace, name]
        self._save(resource, copy.deepcopy(living), "DELETED")
        self._collect(living["metadata"]["uid"])
        return living

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
        if new.get("spec") != living.get("spec"):
            new["metadata"]["generation"] = living["metadata"].get("generation", 0) + 1
        return self._save(resource, new, "MODIFIED")

    def _save(self, resource: str, manifest: Manifest, what: str) -> Manifest:
        metadata = manifest["metadata"]
        self.version = next(self._versions)
        metadata["resourceVersion"] = str(self.version)
        if what != "DELETED":
            self._objects.setdefault(resource, {})[metadata["namespace"], metadata["name"]] = manifest
        happening = Happening(self.version, what, resource, manifest)
        self.history.append(happening)
        for listener in tuple(self.listeners):
            listener(happening)
        return manifest

    def _collect(self, uid: str) -> None:
        for resource, objects in self._objects.items():
            for (namespace, name), manifest in tuple(objects.items()):
                if any(owner.get("uid") == uid for owner in manifest["metadata"].get("ownerReferences") or ()):
                    self.delete(resource, namespace, name)

    @staticmethod
    def _version_precondition(living: Manifest, body: Manifest) -> None:
        version = (body.get("metadata") or {}).get("resourceVersion")
        if version and version != living["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", "the object has been modified")

    @staticmethod
    def _precondition(living: Manifest, uid: str | None) -> None:
        if uid and uid != living["metadata"]["uid"]:
            raise Refused(409, "Conflict", "Precondition failed: UID in precondition differs from UID in object meta")


def _without_status(resource: str, body: Manifest) -> Manifest:
    return {key: value for key, value in body.items() if key != "status" or resource not in WITH_STATUS}
