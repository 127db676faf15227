"""Server-side apply as arithmetic: who owns which leaf, and what a write of one of them makes of an object.

A leaf is a path whose value is neither a map nor a keyed list. Managers may share one while they agree on its value;
whoever changes it by force, or without asking, has it alone.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

Manifest = dict[str, Any]
Path = tuple[Any, ...]
Owners = dict[str, set[Path]]

KEYS: dict[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port", "protocol"),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists that are merged by key, and the keys; every other list is replaced as a whole."""
ITEM_DEFAULTS = {"ports": {"protocol": "TCP"}, "topologySpreadConstraints": {"whenUnsatisfiable": "DoNotSchedule"}}
"""Keys of items that the server fills in before it compares."""
NOT_KEYED = {("spec", "ingress"), ("spec", "egress")}
"""Below these, a list named `ports` is a NetworkPolicy's, which is replaced as a whole."""
IDENTITY = {
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "uid"),
    ("metadata", "resourceVersion"),
}


class Conflict(NamedTuple):
    """A leaf that an apply would change, and who owns it."""

    manager: str
    path: Path


def leaves(manifest: Manifest) -> dict[Path, Any]:
    """The values of all leaves by path; what identifies the object is no one's."""
    found: dict[Path, Any] = {}
    _collect(manifest, (), found)
    return {path: value for path, value in found.items() if path not in IDENTITY and path[0] != "managedFields"}


def conflicts(living: Manifest, body: Manifest, owners: Owners, manager: str) -> list[Conflict]:
    """What an apply without force is refused for: leaves of others that it would change."""
    wanted, has = leaves(body), leaves(living)
    return [
        Conflict(other, path)
        for other, owned in sorted(owners.items())
        if other != manager
        for path in sorted(owned & wanted.keys(), key=repr)
        if has.get(path) != wanted[path]
    ]


def applied(living: Manifest, body: Manifest, owners: Owners, manager: str) -> Manifest:
    """The object after `manager` applied `body`: its fields set, and those it sent before but no longer sends removed.

    `owners` is brought up to date in place: what was changed under another manager is that one's no more.
    """
    wanted, has = leaves(body), leaves(living)
    dropped = owners.get(manager, set()) - wanted.keys() - _parents(wanted)
    changed = {path for path, value in wanted.items() if has.get(path, _NOTHING) != value}
    for other in owners.keys() - {manager}:
        owners[other] = owners[other] - changed
    others: set[Path] = set().union(*(paths for name, paths in owners.items() if name != manager))
    result = merged(living, body)
    for path in sorted(dropped - others, key=_keys_last):
        _remove(result, path)
    owners[manager] = set(wanted)
    return result


def _parents(paths: Iterable[Path]) -> set[Path]:
    """What lies above them: a map that was sent empty before is a leaf no more once something is in it."""
    return {path[:length] for path in paths for length in range(1, len(path))}


def taken_over(old: Manifest, new: Manifest, owners: Owners, manager: str) -> None:
    """Bring `owners` up to date after another write: what it changed is `manager`'s, what it took away is nobody's."""
    has, becomes = leaves(old), leaves(new)
    changed = {path for path, value in becomes.items() if has.get(path, _NOTHING) != value}
    gone = has.keys() - becomes.keys()
    for other in owners:
        owners[other] = owners[other] - changed - gone
    owners[manager] = owners.get(manager, set()) | changed


def merged(into: Manifest, body: Manifest, path: Path = ()) -> Manifest:
    """`body` laid over `into`, which stays as it is: maps and keyed lists merge, everything else replaces."""
    result = dict(into)
    for key, value in body.items():
        here = (*path, key)
        old = result.get(key)
        if isinstance(value, dict):
            result[key] = merged(old if isinstance(old, dict) else {}, value, here)
        elif _is_keyed(here, value):
            result[key] = _merged_list(old if isinstance(old, list) else [], value, here)
        else:
            result[key] = value
    return result


def patched(into: Manifest, body: Manifest) -> Manifest:
    """A JSON merge patch (RFC 7386): maps merge, null removes, every list replaces."""
    result = dict(into)
    for key, value in body.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            old = result.get(key)
            result[key] = patched(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = value
    return result


_NOTHING = object()


def _merged_list(living: list[Manifest], wanted: list[Manifest], path: Path) -> list[Manifest]:
    result = {_identity(path[-1], item): item for item in living}
    for item in wanted:
        identity = _identity(path[-1], item)
        given = ITEM_DEFAULTS.get(path[-1], {}) | item
        result[identity] = merged(result.get(identity, {}), given, path)
    return list(result.values())


def _collect(value: Any, path: Path, found: dict[Path, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _collect(inner, (*path, key), found)
    elif path and _is_keyed(path, value) and value:
        for item in value:
            _collect(ITEM_DEFAULTS.get(path[-1], {}) | item, (*path, _identity(path[-1], item)), found)
    else:
        found[path] = value


def _remove(value: Any, path: Path) -> None:
    """Take a leaf out of an object that is ours alone down this path, and what it leaves empty."""
    key, *rest = path
    if isinstance(value, list):
        index = next((at for at, item in enumerate(value) if isinstance(key, tuple) and _has(item, key)), None)
        if index is None:
            return
        keys = {field for field, _ in key}
        item = dict(value[index])
        if rest and rest[0] not in keys:
            _remove(item, tuple(rest))
            value[index] = item
        elif not set(item) - keys:
            del value[index]
    elif rest and key in value:
        inner = value[key]
        value[key] = dict(inner) if isinstance(inner, dict) else list(inner) if isinstance(inner, list) else inner
        _remove(value[key], tuple(rest))
        if value[key] in ({}, []):
            del value[key]
    elif not rest:
        value.pop(key, None)


def _keys_last(path: Path) -> tuple[bool, str]:
    """An item of a keyed list goes when nothing but its keys is left, so these come last."""
    of_item = next((part for part in reversed(path[:-1]) if isinstance(part, tuple)), ())
    return path[-1] in {field for field, _ in of_item}, repr(path)


def _has(item: Manifest, identity: tuple[tuple[str, Any], ...]) -> bool:
    return all(item.get(field) == value for field, value in identity)


def _identity(name: str, item: Manifest) -> tuple[tuple[str, Any], ...]:
    given = ITEM_DEFAULTS.get(name, {}) | item
    return tuple((field, given[field]) for field in KEYS[name] if field in given)


def _is_keyed(path: Path, value: Any) -> bool:
    return (
        path[-1] in KEYS
        and path[:2] not in NOT_KEYED
        and isinstance(value, list)
        and all(isinstance(item, dict) for item in value)
    )
