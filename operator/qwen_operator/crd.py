"""The CustomResourceDefinition, from the types of `core.resource`.

Why it exists: the schema that the API server enforces and the types that the operator decodes are one thing. It must
never add a field or a bound that the types don't have.
"""

from typing import Any

import msgspec

from qwen_operator.core.kinds import GROUP, QWEN_MODEL, VERSION
from qwen_operator.core.resource.report import UNSEEN, Status
from qwen_operator.core.resource.rules import rules
from qwen_operator.core.resource.spec import SPEC_RULES, Spec
from qwen_operator.core.snapshot import Manifest

Schema = dict[str, Any]

LONGEST_NAME = 44
"""Characters of a model's name: leaves room for the suffixes of children and pods within 63."""

NAME_RULES = rules(
    (
        f"self.metadata.name.size() <= {LONGEST_NAME}",
        f"metadata.name must be at most {LONGEST_NAME} characters, since names of pods and Secrets are made from it",
    ),
    (
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must be a Service's name: small letters, digits and '-', beginning with a letter; no dots",
    ),
)

COLUMNS = (
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Reason", "string", ".status.reason", 0),
    ("Progress", "string", ".status.progress.summary", 0),
    ("Replicas", "string", ".status.replicaSummary", 0),
    ("GPUs", "integer", ".status.gpus", 0),
    ("Model", "string", ".spec.model.uri", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Message", "string", ".status.message", 1),
)
"""Name, type, path and priority (1: only with -o wide) of what `kubectl get` shows."""


def document() -> Manifest:
    """The CustomResourceDefinition as an object, ready to be printed as YAML."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{QWEN_MODEL.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": QWEN_MODEL.kind,
                "listKind": f"{QWEN_MODEL.kind}List",
                "plural": QWEN_MODEL.plural,
                "singular": QWEN_MODEL.kind.lower(),
                "shortNames": ["qm"],
                "categories": ["ai"],
            },
            "versions": [_version()],
        },
    }


def _version() -> Manifest:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [
            {"name": name.upper(), "type": kind, "jsonPath": path, **({"priority": priority} if priority else {})}
            for name, kind, path, priority in COLUMNS
        ],
        "schema": {"openAPIV3Schema": _root()},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
    }


def _root() -> Schema:
    return {
        "type": "object",
        "description": "A Qwen model that is served on Kubernetes by an OpenAI-compatible server.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": {**structural(Spec), **SPEC_RULES},
            "status": {**structural(Status), "default": UNSEEN},
        },
        **NAME_RULES,
    }


def structural(type_: type[msgspec.Struct]) -> Schema:
    """A type as a structural schema: no references, no null, every field with its type."""
    document = msgspec.json.schema(type_)
    return _flat(document, document.get("$defs", {}))


def _flat(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """One schema without the constructs that Kubernetes refuses in a structural schema."""
    if "$ref" in schema:
        # what is said at the field wins over what is said at the type
        inner = definitions[schema["$ref"].rpartition("/")[2]]
        return _flat({**inner, **{key: value for key, value in schema.items() if key != "$ref"}}, definitions)
    if "anyOf" in schema:
        return _flat(_one_of(schema), definitions)
    kind = {"type": "string"} if "enum" in schema else {}
    inside: Schema = {
        name: _flat(schema[name], definitions) for name in ("items", "additionalProperties") if name in schema
    }
    if "properties" in schema:
        inside["properties"] = {name: _flat(part, definitions) for name, part in schema["properties"].items()}
    return {**kind, **{key: value for key, value in schema.items() if _says_something(key, value)}, **inside}


def _one_of(schema: Schema) -> Schema:
    """Absent is not null: an optional field is its type. A quantity is a string or a whole number."""
    outside = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
    kinds = [part for part in schema["anyOf"] if part != {"type": "null"}]
    if len(kinds) == 1:
        return {**kinds[0], **outside}
    text, number = sorted(kinds, key=lambda part: str(part["type"]), reverse=True)
    bounds = {key: value for part in (text, number) for key, value in part.items() if key != "type"}
    return {**outside, **bounds, "x-kubernetes-int-or-string": True}


def _says_something(key: str, value: object) -> bool:
    """Leave out what Kubernetes has no use for, and defaults that would fill stored objects with empty things."""
    if key == "default":
        return isinstance(value, str | int | float) and value != ""
    return key not in {"$defs", "title"} and not (key == "required" and not value)
