"""Whatever somebody else does to a field of ours is undone at once; what is theirs stays.

Which fields are ours, the API server itself says: each entry of `managedFields` under the operator's name.
"""

import copy
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from qwen_operator.core import kinds, names
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import Invalid
from tests.operator_api.proofs.ledger import LEDGER
from tests.operator_api.running import a_claim, a_model, condition, found, running
from tests.operator_api.server import Server
from tests.operator_api.test_scale import REAL

Path = tuple[str | int, ...]
CHILDREN = (kinds.SERVICE, kinds.DEPLOYMENT, kinds.NETWORK_POLICY, kinds.DISRUPTION_BUDGET)
WHOSE = ("metadata", "ownerReferences")
"""An object that is nobody's any more is not taken over: it may have been given away."""
SOON = 20.0
"""Seconds, for a loaded machine; without an event nothing would be looked at for more than a minute."""
SPEC: dict[str, Any] = {
    "replicas": 2,
    "server": {"env": [{"name": "NCCL_DEBUG", "value": "INFO"}], "args": ["--seed=1"]},
    "scheduling": {"nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]},
}
LEAST = {kinds.SERVICE: 8, kinds.DEPLOYMENT: 60, kinds.NETWORK_POLICY: 8, kinds.DISRUPTION_BUDGET: 7}
"""How many fields can be changed by others at all, at the very least."""


def owned(fields: Manifest, value: Any, path: Path = ()) -> Iterator[Path]:
    """Where the leaves of a set of fields lie in an object (`fieldsV1`, structured-merge-diff's version 4).

    Without the keys of items: an item with another key is another item.
    """
    for key, below in fields.items():
        if key == ".":
            continue
        part = place(key, value)
        keys = {"."} | ({f"f:{name}" for name in json.loads(key[2:])} if key.startswith("k:") else set())
        if inner := {name: each for name, each in below.items() if name not in keys}:
            yield from owned(inner, value[part], (*path, part))
        else:
            yield (*path, part)


def place(key: str, value: Any) -> str | int:
    """Which member or item a key of `fieldsV1` means."""
    sort, _, text = key.partition(":")
    if sort == "f":
        return text
    wanted = json.loads(text)
    if sort == "v":
        return int(value.index(wanted))
    return next(index for index, item in enumerate(value) if wanted.items() <= item.items())


def ours(manifest: Manifest) -> list[Path]:
    """The leaves that the operator owns."""
    entries = [each for each in manifest["metadata"]["managedFields"] if each["manager"] == names.FIELD_MANAGER]
    return [path for entry in entries for path in owned(entry["fieldsV1"], manifest) if path[:2] != WHOSE]


def at(manifest: Any, path: Path) -> Any:
    """What lies there, None if nothing does."""
    for part in path:
        try:
            manifest = manifest[part]
        except (KeyError, IndexError):
            return None
    return manifest


def same(before: Manifest, path: Path, manifest: Manifest) -> bool:
    """Whether the same lies there as before."""
    return bool(at(manifest, path) == at(before, path))


def another(value: Any) -> Any:
    """A value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else type(value)()


def changed(holder: Any, part: Any) -> None:
    """Another value than ours."""
    holder[part] = another(holder[part])


def removed(holder: Any, part: Any) -> None:
    """None at all."""
    if isinstance(holder, dict):
        holder[part] = None  # so a merge patch says it
    else:
        del holder[part]


def drift(manifest: Manifest, path: Path, how: Callable[[Any, Any], None]) -> Manifest:
    """A merge patch that does it: lists are sent whole."""
    patch: Manifest = copy.deepcopy({str(path[0]): at(manifest, path[:1])})
    if path[0] == "metadata":
        patch["metadata"] = {
            key: patch["metadata"][key] for key in ("labels", "annotations") if key in patch["metadata"]
        }
    how(at(patch, path[:-1]), path[-1])
    return patch


@REAL
@pytest.mark.parametrize("how", [changed, removed])
@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.kind)
async def test_every_field_of_ours_comes_back(server: Server, kind: Kind, how: Callable[[Any, Any], None]) -> None:
    """One after the other; what only a look at its own time would find is not found this soon."""
    repaired = 0
    async with running(server):
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model(**SPEC))
        await found(server, kinds.QWEN_MODEL, "qwen3", is_applied)
        before = await server.get(kind, "qwen3")
        for path in ours(before):
            try:
                await server.merge(kind, "qwen3", drift(before, path, how))
            except Invalid:
                continue  # the API server itself lets nobody
            await found(server, kind, "qwen3", partial(same, before, path), seconds=SOON)
            repaired += 1

    LEDGER.count("R6", repaired)
    assert repaired >= LEAST[kind]


@REAL
async def test_a_port_that_somebody_renumbered_stands_in_the_way_and_is_told_with_the_way_out(server: Server) -> None:
    """It is theirs now, and ours beside it has the same name, which the API server refuses."""
    async with running(server):
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model())
        await found(server, kinds.QWEN_MODEL, "qwen3", is_applied)
        [port] = (await server.get(kinds.SERVICE, "qwen3"))["spec"]["ports"]
        await server.merge(kinds.SERVICE, "qwen3", {"spec": {"ports": [port | {"port": 8008}]}})

        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: told(m)["reason"] == "ApiRefused")
        await server.delete(kinds.SERVICE, "qwen3")
        await found(server, kinds.QWEN_MODEL, "qwen3", is_applied, seconds=90)
        service = await server.get(kinds.SERVICE, "qwen3")

    assert "Duplicate value" in told(model)["message"]
    assert "if somebody changed the Service itself, delete it" in told(model)["message"]
    assert [each["port"] for each in service["spec"]["ports"]] == [8000]


def is_applied(model: Manifest) -> bool:
    """Whether every child is as asked."""
    return bool(told(model)["status"] == "True")


def told(model: Manifest) -> Manifest:
    """The condition Applied."""
    return condition(model, "Applied") or {"reason": "", "status": ""}
