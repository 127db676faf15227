"""Whether what lives holds what is wanted: the comparison behind every write that is not made.

Why it exists: the API server adds defaults, and others may add fields of their own, so equality is never there. What is
wanted must be a *subset*. It must never say that something is there because it was sent.
"""

import hashlib
import json
from typing import Any

import msgspec

from qwen_operator.core import names
from qwen_operator.core.kinds import CLAIM, Kind
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, controlled_by

KEYED_BY: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port", "protocol"),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists whose items the API server merges by these fields (`x-kubernetes-list-map-keys` of its OpenAPI document), as
far as our builders use them. In all other lists the items must agree one by one."""


def stamped(manifest: Manifest) -> Manifest:
    """The manifest with a digest of itself as an annotation.

    A subset can't show that a field we once sent is no longer wanted; the digest of what was sent last does.
    """
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), names.APPLIED_HASH: digest(manifest)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def digest(manifest: Manifest) -> str:
    """Sixteen hexadecimal digits that stand for all of it.

    They are compared with those on living objects, so no version of the operator may make others of the same content.
    """
    text = msgspec.json.encode(manifest, order="sorted")
    if not text.isascii() or b"\x7f" in text:  # escaped since the first release, and ten times slower
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def was_sent(manifest: Manifest, living: Manifest) -> bool:
    """Whether exactly this is what was applied last to a living object."""
    sent: object = living["metadata"].get("annotations", {}).get(names.APPLIED_HASH)
    return sent == digest(manifest)


def belongs(kind: Kind, manifest: Manifest, model: QwenModel) -> bool:
    """Whether a living object is this model's.

    A claim that we made outlives its model, so it may have no owner: then its labels say whose it is.
    """
    metadata = manifest["metadata"]
    if controlled_by(manifest, model.metadata.uid):
        return True
    ours = names.weights_labels(model.metadata.name).items() <= (metadata.get("labels") or {}).items()
    return kind == CLAIM and ours and not metadata.get("ownerReferences")


def difference(wanted: Any, living: Any, path: str = "") -> str | None:
    """Path of the first thing wanted that does not live, or None if all of it does. Values are never shown."""
    if isinstance(wanted, dict):
        return _in_map(wanted, living if isinstance(living, dict) else {}, path)
    if isinstance(wanted, list):
        return _in_list(wanted, living if isinstance(living, list) else [], path)
    return None if wanted == living and type(wanted) is type(living) else path


def _in_map(wanted: Manifest, living: Manifest, path: str) -> str | None:
    for name, value in wanted.items():
        inner = f"{path}.{name}" if path else name
        if name not in living:
            return inner
        if (found := difference(value, living[name], inner)) is not None:
            return found
    return None


def _in_list(wanted: list[Any], living: list[Any], path: str) -> str | None:
    keys = KEYED_BY.get(path.rpartition(".")[2])
    if keys is None:
        pairs = zip(wanted, living, strict=False)
        if len(wanted) != len(living):
            return path
        return next((path for item, other in pairs if difference(item, other, path) is not None), None)
    by_key = {_key(item, keys): item for item in living}
    for item in wanted:
        key = _key(item, keys)
        found = difference(item, by_key.get(key), f"{path}[{'/'.join(key)}]")
        if found is not None:
            return found
    return None


def _key(item: Manifest, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(item[key]) for key in keys if key in item)
