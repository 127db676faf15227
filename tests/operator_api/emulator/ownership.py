"""Server-side apply as arithmetic: which leaves a manager owns, and what a new apply of it makes of an object."""

import copy
from typing import Any

Manifest = dict[str, Any]
Path = tuple[Any, ...]
Owners = dict[str, set[Path]]

KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "ownerReferences": ("uid",),
    "conditions": ("type",),
    "ports": ("containerPort", "port", "protocol"),
}
"""Lists that are merged by key, and the keys; every other list is replaced as a whole."""
IDENTITY = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid")}


def leaves(manifest: Manifest) -> set[Path]:
    """The paths of all values that are no map and no keyed list."""
    return set(_leaves(manifest, ())) - IDENTITY


def applied(living: Manifest, body: Manifest, owners: Owners, manager: str) -> Manifest:
    """The object after `manager` applied `body`: its fields set, and those it sent before but no longer sends removed.

    `owners` is brought up to date in place.
    """
    wanted = leaves(body)
    dropped = owners.get(manager, set()) - wanted
    others = set().union(*(paths for name, paths in owners.items() if name != manager)) if len(owners) > 1 else set()
    result = merged(copy.deepcopy(living), body)
    for path in dropped - others:
        _remove(result, path)
    owners[manager] = wanted
    return result


def merged(into: Manifest, body: Manifest) -> Manifest:
    """`body` laid over `into`: maps and keyed lists merge, null removes, everything else replaces."""
    for key, value in body.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            merged(into[key], value)
        elif _is_keyed(key, value) and isinstance(into.get(key), list):
            into[key] = _merged_list(into[key], value, key)
        else:
            into[key] = copy.deepcopy(value)
    return into


def _merged_list(living: list[Manifest], wanted: list[Manifest], name: str) -> list[Manifest]:
    result = {_identity(name, item): item for item in living}
    for item in wanted:
        identity = _identity(name, item)
        result[identity] = merged(result.get(identity, {}), item)
    return list(result.values())


def _leaves(value: Any, path: Path) -> list[Path]:
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))]
    if path and _is_keyed(path[-1], value):
        name = path[-1]
        items = [(_identity(name, item), item) for item in value]
        return [leaf for identity, item in items for leaf in _leaves(item, (*path, identity))]
    return [path]


def _remove(value: Any, path: Path) -> None:
    key, *rest = path
    if isinstance(value, list):
        item = next((item for item in value if isinstance(key, tuple) and _has(item, key)), None)
        if item is None:
            return
        _remove(item, tuple(rest))
        if not set(item) - {field for field, _ in key}:
            value.remove(item)
    elif rest and key in value:
        _remove(value[key], tuple(rest))
        if value[key] in ({}, []):
            del value[key]
    elif not rest:
        value.pop(key, None)


def _has(item: Manifest, identity: tuple[tuple[str, Any], ...]) -> bool:
    return all(item.get(field) == value for field, value in identity)


def _identity(name: str, item: Manifest) -> tuple[tuple[str, Any], ...]:
    return tuple((field, item[field]) for field in KEYS[name] if field in item)


def _is_keyed(name: Any, value: Any) -> bool:
    return (
        isinstance(name, str) and name in KEYS and isinstance(value, list) and all(isinstance(i, dict) for i in value)
    )
