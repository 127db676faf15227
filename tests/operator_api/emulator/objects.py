"""The writes that the API knows, carried out on the emulator's memory."""

import copy
import uuid
from collections.abc import Callable

from tests.operator_api.emulator import ownership
from tests.operator_api.emulator.kinds import BY_PLURAL, CLUSTER_SCOPED, WITH_STATUS, WITHOUT_GENERATION
from tests.operator_api.emulator.memory import Manifest, Memory, Refused

Admit = Callable[[str, Manifest | None, Manifest], Manifest]
"""What is to be stored instead, by resource, living object and wanted one; raises `Refused`."""


def as_it_is(_resource: str, _old: Manifest | None, new: Manifest) -> Manifest:
    """Nothing is judged: a test puts what it likes."""
    return new


class Objects(Memory):
    """All objects, and what can be done to them."""

    def create(
        self,
        resource: str,
        namespace: str,
        manifest: Manifest,
        *,
        manager: str = "",
        updater: str = "",
        admit: Admit = as_it_is,
    ) -> Manifest:
        """A new object with uid and version; 409 if it is there.

        :param manager: who applied it; without one, `updater` owns what was sent.
        """
        owned = set(ownership.leaves(manifest))
        metadata = dict(manifest.get("metadata") or {})
        if (namespace, metadata["name"]) in self._objects.get(resource, {}):
            raise Refused(409, "AlreadyExists", f'{resource} "{metadata["name"]}" already exists')
        if namespace in self.closed:
            raise Refused(403, "Forbidden", f"namespace {namespace} is being terminated: nothing new can be created")
        if metadata.get("uid"):
            raise Refused(409, "Conflict", "uid mismatch: an object of this uid does not exist")
        metadata |= {"uid": str(uuid.UUID(int=self._chance.getrandbits(128), version=4))}
        metadata |= {"creationTimestamp": self._now()}
        if resource not in CLUSTER_SCOPED:
            metadata["namespace"] = namespace
        if resource not in WITHOUT_GENERATION:
            metadata["generation"] = 1
        served, kind = BY_PLURAL[resource]
        new = {"apiVersion": served.api_version, "kind": kind, **manifest, "metadata": metadata}
        if manager:
            new = ownership.merged({}, new)
        if resource == "services":
            new["spec"] = {"clusterIP": "10.96.0.77", **(new.get("spec") or {})}
        new = admit(resource, None, new)
        self._owners[metadata["uid"]] = {manager or f"{updater}:update": owned}
        return self._save(resource, new, "ADDED", None)

    def apply(
        self,
        resource: str,
        namespace: str,
        name: str,
        body: Manifest,
        *,
        manager: str,
        status: bool,
        force: bool = True,
        admit: Admit = as_it_is,
    ) -> Manifest:
        """Server-side apply."""
        living = self.find(resource, namespace, name)
        if living is None:
            if status:
                raise Refused(404, "NotFound", f'{resource} "{name}" not found')
            return self.create(resource, namespace, without_status(resource, body), manager=manager, admit=admit)
        self._precondition(living, (body.get("metadata") or {}).get("uid"))
        self._version_precondition(living, body)
        body = {"status": body.get("status", {})} if status else without_status(resource, body)
        body = _applicable(body)
        who, owners = f"{manager}/status" if status else manager, self._owners[living["metadata"]["uid"]]
        if not force and (found := ownership.conflicts(living, body, owners, who)):
            raise _conflict(found)
        kept = dict(owners)
        new = self.overwrite(resource, living, admit(resource, living, ownership.applied(living, body, kept, who)))
        self._owners[living["metadata"]["uid"]] = kept
        return new

    def merge(
        self,
        resource: str,
        namespace: str,
        name: str,
        body: Manifest,
        *,
        status: bool = False,
        updater: str = "",
        admit: Admit = as_it_is,
    ) -> Manifest:
        """A JSON merge patch, as somebody else would send one; it takes the fields over from their managers."""
        living = self.get(resource, namespace, name)
        self._version_precondition(living, body)
        body = {"status": body.get("status", {})} if status else without_status(resource, body)
        return self._update(resource, living, ownership.patched(living, body), updater, admit)

    def replace(
        self,
        resource: str,
        namespace: str,
        name: str,
        body: Manifest,
        *,
        status: bool = False,
        updater: str = "",
        admit: Admit = as_it_is,
    ) -> Manifest:
        """A PUT: refused if the version in it is not the living one."""
        living = self.get(resource, namespace, name)
        self._version_precondition(living, body)
        fixed = {field: living["metadata"][field] for field in _FIXED if field in living["metadata"]}
        new = body | {"metadata": (body.get("metadata") or {}) | fixed}
        if status:
            new = living | {"status": body.get("status", {})}
        elif resource in WITH_STATUS:
            new = without_status(resource, new) | ({"status": living["status"]} if "status" in living else {})
        return self._update(resource, living, copy.deepcopy(new), updater, admit)

    def delete(
        self, resource: str, namespace: str, name: str, uid: str | None = None, version: str | None = None
    ) -> Manifest:
        """Remove an object, and then whatever names it as its owner; with finalizers, only mark it."""
        living = self.get(resource, namespace, name)
        self._precondition(living, uid)
        if version and version != living["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", "Precondition failed: resourceVersion in precondition differs")
        if living["metadata"].get("finalizers"):
            marked = living["metadata"] | {"deletionTimestamp": self._now()}
            return (
                living
                if "deletionTimestamp" in living["metadata"]
                else self.overwrite(resource, living, living | {"metadata": marked})
            )
        del self._objects[resource][namespace, name]
        self._owners.pop(living["metadata"]["uid"], None)
        self._save(resource, living, "DELETED", living)
        if self.collects:
            self.collect(living["metadata"]["uid"])
        return living

    def collect(self, uid: str) -> None:
        """Delete what names an object of this uid as its owner."""
        for resource, objects in self._objects.items():
            for (namespace, name), manifest in tuple(objects.items()):
                if any(owner.get("uid") == uid for owner in manifest["metadata"].get("ownerReferences") or ()):
                    self.delete(resource, namespace, name)

    def _update(self, resource: str, living: Manifest, new: Manifest, updater: str, admit: Admit) -> Manifest:
        new = admit(resource, living, new)
        ownership.taken_over(living, new, self._owners[living["metadata"]["uid"]], f"{updater}:update")
        stored = self.overwrite(resource, living, new)
        metadata = stored["metadata"]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self.delete(resource, metadata.get("namespace", ""), metadata["name"])
        return stored

    @staticmethod
    def _version_precondition(living: Manifest, body: Manifest) -> None:
        version = (body.get("metadata") or {}).get("resourceVersion")
        if version and version != living["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", "the object has been modified")

    @staticmethod
    def _precondition(living: Manifest, uid: str | None) -> None:
        if uid and uid != living["metadata"]["uid"]:
            raise Refused(409, "Conflict", "Precondition failed: UID in precondition differs from UID in object meta")


_NAMING = ("name", "namespace", "uid", "resourceVersion")
"""Which object an apply means."""
_FIXED = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "namespace", "name")


def _applicable(body: Manifest) -> Manifest:
    """What an apply says beyond which object it means."""
    metadata = {k: v for k, v in (body.get("metadata") or {}).items() if k not in _NAMING}
    rest = {k: v for k, v in body.items() if k not in ("apiVersion", "kind", "metadata")}
    return rest | ({"metadata": metadata} if metadata else {})


def _conflict(found: list[ownership.Conflict]) -> Refused:
    names = sorted({f'"{each.manager.removesuffix(":update").removesuffix("/status")}"' for each in found})
    fields = ", ".join(sorted({"." + ".".join(map(str, each.path)) for each in found}))
    return Refused(409, "Conflict", f"Apply failed with {len(found)} conflict(s) with {', '.join(names)}: {fields}")


def without_status(resource: str, body: Manifest) -> Manifest:
    """What a write of the object itself may say: of kinds with a status of its own path, not that."""
    return {key: value for key, value in body.items() if key != "status" or resource not in WITH_STATUS}
