"""Checks that the API server makes at apply, as data beside the types they belong to.

Why it exists: with these in the CustomResourceDefinition no webhook and no certificate is needed. A rule must never be
written without a message that names the field and the remedy.
"""

from typing import Any

Rules = dict[str, Any]

ATOMIC: Rules = {"x-kubernetes-list-type": "atomic"}
"""A list that is one owner's as a whole."""


def rules(*pairs: tuple[str, str]) -> Rules:
    """CEL rules and their messages, in the form of a schema extension."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


def keyed_by(*keys: str) -> Rules:
    """A list whose items are told apart by these fields, so that several owners may add to it."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
