"""What a cluster has come to, without what differs between two runs that came to the same."""

from typing import Any

from qwen_operator.core import names
from tests.operator_api.emulator.memory import Memory
from tests.operator_api.proofs.world import NAMESPACE

LEFT_OUT = frozenset({"events", "replicasets"})
"""What only tells, and what another controller keeps as its history."""
OF_ITS_TIME = frozenset(
    {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "observedGeneration"}
)
HISTORY = frozenset({"lastFailure", "timings"})
"""Parts of a model's status that tell how it came about."""

State = dict[str, Any]


def state(objects: Memory) -> State:
    """Every object of the models' namespace by resource and name; of pods only how many there are of each kind."""
    living = {m["metadata"]["uid"]: m["metadata"]["name"] for _, m in objects.everything()}
    found: State = {}
    for resource, manifest in objects.everything():
        if resource in LEFT_OUT or manifest["metadata"].get("namespace") != NAMESPACE:
            continue
        plain = _plain(manifest, living)
        if resource == "pods":
            key = f"pods {plain['metadata'].pop('name').rpartition('-')[0]} {plain.get('status', {}).get('phase')}"
            found[key] = found.get(key, 0) + 1
        else:
            found[f"{resource} {manifest['metadata']['name']}"] = plain
    return found


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Paths at which two states differ, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted(one.keys() | other.keys(), key=str)
            for line in differences(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line for at, pair in enumerate(zip(one, other, strict=True)) for line in differences(*pair, f"{path}[{at}]")
        ]
    return [] if one == other else [f"{path}: {one!r} != {other!r}"]


def _plain(value: Any, living: dict[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in OF_ITS_TIME | HISTORY and not k.endswith(("Time", "At"))}
        plain = {k: _plain(v, living, k) for k, v in kept.items() if k != names.APPLIED_HASH}
        if "uid" in value and "controller" in value:
            plain["of"] = living.get(value["uid"], "nobody")
        return plain
    if isinstance(value, list):
        return [_plain(item, living) for item in value]
    if key == names.GENERATED_KEY and isinstance(value, str) and len(value) > 40:
        return "a generated key"
    return value
