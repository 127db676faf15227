"""The operator on an API server that refuses, forgets and lies: the emulator only."""

import asyncio

import pytest

from qwen_operator import operation
from qwen_operator.core import kinds
from qwen_operator.refusals import NotLeading
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.running import WRITES, a_claim, a_model, condition, found, running, until
from tests.operator_api.server import Server
from tests.operator_api.test_operator import a_served_model, reported


async def test_a_child_that_vanished_unseen_is_made_again_after_a_list(emulated: Server, emulator: Emulator) -> None:
    """The watch was down and history is forgotten: the list shows what is missing."""
    async with running(emulated) as operator:
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()
        emulator.objects.vanish("services", emulated.namespace, "qwen3")
        emulator.hang_up_watches()
        await found(emulated, kinds.SERVICE, "qwen3")


async def test_a_model_that_was_deleted_unseen_gets_no_children_any_more(emulated: Server, emulator: Emulator) -> None:
    """kopf would never tell: before a child is made anew, the model is looked for."""
    async with running(emulated) as operator:
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()
        emulator.faults.silent = True
        emulator.objects.delete("qwenmodels", emulated.namespace, "qwen3")
        emulator.faults.silent = False
        before = operator.requests(WRITES)
        for kind in (kinds.SERVICE, kinds.DEPLOYMENT):
            cache = operator.parts.caches.of[kind]
            for key in cache:
                cache.drop(key, 10**9)
        await until(lambda: len(operator.parts.caches.models) == 0)
        assert operator.requests(WRITES) == before


async def test_a_forbidden_write_of_one_kind_costs_that_kind_alone(emulated: Server, emulator: Emulator) -> None:
    """The condition says what is forbidden; the Deployment is made; it heals when the right is back."""
    emulator.faults.refuse["patch", "services"] = 403
    async with running(emulated):
        await a_served_model(emulated)
        model = await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        assert condition(model, "Applied")["reason"] == "Forbidden"
        await found(emulated, kinds.DEPLOYMENT, "qwen3")
        emulator.faults.refuse.clear()
        await found(emulated, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Applied")["status"] == "True")


async def test_a_kind_that_may_not_be_watched_does_not_stop_the_others(emulated: Server, emulator: Emulator) -> None:
    """Blind for Services: they are not written, and said to be forbidden; the Deployment is made."""
    emulator.faults.refuse["list", "services"] = 403
    async with running(emulated):
        await a_served_model(emulated)
        model = await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        assert condition(model, "Applied")["reason"] == "Forbidden"
        await found(emulated, kinds.DEPLOYMENT, "qwen3")
        assert await emulated.find(kinds.SERVICE, "qwen3") is None


async def test_a_lost_lease_ends_the_run_and_no_write_leaves_the_process(emulated: Server) -> None:
    """Somebody else's name in the Lease is enough."""
    async with running(emulated) as operator:
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        other = {"spec": {"holderIdentity": "somebody-else", "leaseDurationSeconds": 3600}}
        await emulated.merge(kinds.LEASE, "qwen-operator", other)
        await until(lambda: not operator.parts.lease.held())
        before = operator.requests(WRITES)
        claim = a_claim("another") | {"metadata": {"namespace": emulated.namespace, "name": "another"}}
        with pytest.raises(NotLeading):
            await operator.parts.cluster.apply(kinds.CLAIM, claim)
        assert operator.requests(WRITES) == before


async def test_an_answer_that_is_lost_leads_to_no_second_object(emulated: Server, emulator: Emulator) -> None:
    """A 500 after each first write: everything is there once, in the end."""
    for resource in ("secrets", "services", "deployments"):
        verb = "create" if resource == "secrets" else "patch"
        emulator.faults.refuse[verb, resource] = 500
        emulator.faults.times[verb, resource] = 1
    async with running(emulated):
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Applied").get("status") == "True")
        names = [m["metadata"]["name"] for m in emulator.objects.all("secrets", emulated.namespace)]
        assert names == ["qwen3-api-keys"]


async def test_one_models_trouble_is_not_the_others(emulated: Server) -> None:
    """An object that is no QwenModel at all gets a status that says so, and its neighbour is served."""
    async with running(emulated):
        broken = a_model("broken") | {"spec": {"model": "not an object"}}
        await emulated.create(kinds.QWEN_MODEL, broken)
        await a_served_model(emulated)
        await found(emulated, kinds.DEPLOYMENT, "qwen3")
        model = await found(emulated, kinds.QWEN_MODEL, "broken", reported)
        assert condition(model, "Accepted")["status"] == "False"


async def test_a_standby_takes_over_and_finds_nothing_to_do(emulated: Server) -> None:
    """Two at once: the second one's caches are warm when the first stops."""
    async with running(emulated) as first:
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        await first.settle()
        started = asyncio.create_task(_stand_by(emulated))
        await asyncio.sleep(0)
        assert not started.done()
    assert await started == 0


async def _stand_by(server: Server) -> int:
    async with running(server, identity="two") as second:
        await second.settle()
        return second.requests(WRITES)


async def test_an_absent_definition_is_one_sentence(emulated: Server, emulator: Emulator) -> None:
    """Without the kind there is nothing to serve: the process ends and says how to install it."""
    async with running(emulated) as operator:
        emulator.faults.refuse["list", "qwenmodels"] = 404
        with pytest.raises(operation.CannotStart, match="Install the CustomResourceDefinition first"):
            await operation.preflight(operator.parts)
