"""What a write must pass before it is stored: the definition's schema, and built-in kinds' fields that never change."""

from base64 import b64encode
from functools import cache
from typing import Any

from qwen_operator import crd
from tests.operator_api.emulator.kinds import DEFINITIONS, QWEN_MODELS
from tests.operator_api.emulator.memory import Happening, Manifest, Refused
from tests.operator_api.emulator.objects import Objects
from tests.operator_api.emulator.schema import Schema

FIXED: dict[str, tuple[str, ...]] = {
    "deployments": ("spec.selector",),
    "replicasets": ("spec.selector",),
    "jobs": ("spec.template", "spec.selector", "spec.completions"),
    "persistentvolumeclaims": ("spec.accessModes", "spec.storageClassName", "spec.volumeMode", "spec.volumeName"),
    "services": ("spec.clusterIP",),
    "secrets": ("type",),
}
"""By resource: what cannot be changed once it is set."""


class Admission:
    """The judgement on each write that comes by a request; what a test puts into `Objects` itself is not judged."""

    def __init__(self, objects: Objects) -> None:
        self.installed = True
        """Whether QwenModels are served: their definition is there, or nobody ever spoke of one."""
        objects.listeners.append(self._note)

    def admit(self, resource: str, old: Manifest | None, new: Manifest) -> Manifest:
        """What is stored.

        :raises Refused: 422, with the sentences of what is wrong.
        """
        if resource == QWEN_MODELS:
            return _by_schema(old, new)
        new = _defaulted(resource, new)
        for path in FIXED.get(resource, ()):
            before, after = _at(old, path), _at(new, path)
            if old is not None and before is not None and before != after:
                raise _invalid(resource, new, f"{path}: Invalid value: field is immutable")
        return new

    def _note(self, happening: Happening) -> None:
        if happening.resource == DEFINITIONS:
            self.installed = happening.type != "DELETED"


@cache
def schema() -> Schema:
    """The schema of our own definition."""
    return Schema(crd.document()["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def strict(resource: str, body: Manifest) -> None:
    """Refuse unknown fields, as a request with fieldValidation=Strict asks for.

    :raises Refused: 400.
    """
    if resource == QWEN_MODELS and (unknown := schema().unknown(body)):
        listed = ", ".join(f'unknown field "{path}"' for path in unknown)
        raise Refused(400, "BadRequest", f"strict decoding error: {listed}")


def _by_schema(old: Manifest | None, new: Manifest) -> Manifest:
    """What was wrong before and is wrong in the same way is let pass, so that an older object can still be written."""
    admitted = schema().admitted(new)
    complaints = schema().complaints(admitted, old)
    if complaints and old is not None:
        known = set(schema().complaints(old))
        complaints = [each for each in complaints if each not in known]
    if complaints:
        said = complaints[0] if len(complaints) == 1 else f"[{', '.join(complaints)}]"
        raise _invalid(QWEN_MODELS, new, said)
    return admitted


def _defaulted(resource: str, new: Manifest) -> Manifest:
    """Built-in kinds have defaults of their own; here are those that somebody asks about."""
    metadata = {field: value for field, value in new["metadata"].items() if value not in ({}, [])}
    new = new | {"metadata": metadata}
    if resource == DEFINITIONS:
        return new | {"status": {"conditions": [{"type": kind, "status": "True"} for kind in ESTABLISHED]}}
    if resource == "services":
        return new | {"spec": {"type": "ClusterIP"} | (new.get("spec") or {})}
    if resource == "secrets":
        given = {name: b64encode(text.encode()).decode() for name, text in (new.get("stringData") or {}).items()}
        data = (new.get("data") or {}) | given
        kept = {field: value for field, value in new.items() if field != "stringData"}
        return {"type": "Opaque"} | kept | ({"data": data} if data else {})
    return new


ESTABLISHED = ("NamesAccepted", "Established")


def _invalid(resource: str, manifest: Manifest, said: str) -> Refused:
    return Refused(
        422, "Invalid", f'{manifest.get("kind", resource)} "{manifest["metadata"]["name"]}" is invalid: {said}'
    )


def _at(manifest: Manifest | None, path: str) -> Any:
    found: Any = manifest
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
