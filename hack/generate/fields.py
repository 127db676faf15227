"""The fields of a resource as rows, from its structural schema. Never adds a word to what the schema says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} entries",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: where it is, what it may hold and what it means."""

    path: str
    type: str
    default: str
    limits: str
    description: str
    required: bool


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A check that the API server makes at apply: at which field, and what it says when it refuses."""

    path: str
    message: str


def fields(schema: Schema, path: str) -> Iterator[Field]:
    """Return every field below an object, depth first, in the schema's order."""
    for name, part in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield _field(here, part, required=name in schema.get("required", []))
        yield from fields(_content(part), here + _suffix(part))


def rules(schema: Schema, path: str) -> Iterator[Rule]:
    """Return every rule of an object and of what is below it."""
    for rule in schema.get("x-kubernetes-validations", []):
        yield Rule(path=path, message=rule.get("message", rule["rule"]))
    for name, part in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield from rules(part, here)
        if _suffix(part):
            yield from rules(_content(part), here + _suffix(part))


def _field(path: str, part: Schema, *, required: bool) -> Field:
    return Field(
        path=path,
        type=_type(part),
        default=json.dumps(part["default"]) if "default" in part else "",
        limits=_limits(part),
        description=part.get("description", ""),
        required=required,
    )


def _limits(part: Schema) -> str:
    """Return a field's bounds; those of a quantity hold for its spelling alone, and a rule says what they mean."""
    if part.get("x-kubernetes-int-or-string"):
        return ""
    return ", ".join(text.format(part[key]) for key, text in LIMITS.items() if key in part)


def _content(part: Schema) -> Schema:
    """Return the schema of a list's items, of a map's entries, or of the object itself."""
    inner = part.get("items") or part.get("additionalProperties")
    return inner if isinstance(inner, dict) else part


def _suffix(part: Schema) -> str:
    """Return what follows a field's name when its content is a list's item or a map's entry."""
    if "items" in part:
        return "[]"
    return ".*" if isinstance(part.get("additionalProperties"), dict) else ""


def _type(part: Schema) -> str:
    """Return a field's type as a reader says it; an enumeration is its values."""
    if "enum" in part:
        return ", ".join(str(value) for value in part["enum"])
    if part.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if _suffix(part):
        return f"{'list' if 'items' in part else 'map'} of {_type(_content(part))}"
    return str(part.get("type", "any"))
