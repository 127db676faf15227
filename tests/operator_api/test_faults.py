"""The operator on an API server that refuses, forgets and lies: the emulator only."""

import asyncio
import random

import pytest
from kubernetes.aio.client import Configuration

from qwen_operator import operation
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.credentials import Credentials
from qwen_operator.observe import Metrics
from qwen_operator.parts import assembled
from qwen_operator.refusals import NotLeading, Unreachable
from qwen_operator.transport import IN_FLIGHT, Transport
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.faults import EventFaults
from tests.operator_api.running import WRITES, a_claim, a_model, condition, found, running, settings, until
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


async def test_a_new_model_that_was_deleted_unseen_leaves_no_claim_behind(emulated: Server, emulator: Emulator) -> None:
    """What else is made for it in vain goes as its owner went; a claim that outlives its model has no owner."""

    def delete(asked: Asked, _: str) -> None:
        if (asked.verb, asked.what) == ("patch", "networkpolicies") and not emulator.faults.silent:
            emulator.faults.silent = True
            emulator.objects.delete("qwenmodels", asked.namespace, "qwen3")

    spec = {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "cache": {"size": "20Gi"}, "device": "CPU"}
    async with running(emulated) as operator:
        emulator.traffic.listeners.append(delete)
        await emulated.create(kinds.QWEN_MODEL, a_model() | {"spec": spec})
        await until(lambda: emulator.faults.silent and len(operator.parts.caches.models) == 0)
    assert emulator.traffic.requests["patch", "persistentvolumeclaims"] == 0


async def test_an_edit_that_a_watch_tells_of_behind_the_answer_that_holds_it_is_followed(
    emulated: Server, emulator: Emulator
) -> None:
    """Somebody edits the model right before our status is written; neither that nor our own write is told in time."""
    late = EventFaults(random.Random(1), delayed=1.0, longest=1.0)  # noqa: S311 - a seed

    def edit(asked: Asked, _: str) -> None:
        if asked.what == "qwenmodels/status" and emulator.faults.events is None:
            emulator.faults.events = late
            emulator.objects.merge("qwenmodels", asked.namespace, asked.name, {"spec": {"suspend": True}})

    async with running(emulated):
        emulator.traffic.listeners.append(edit)
        await a_served_model(emulated)
        await found(emulated, kinds.DEPLOYMENT, "qwen3", lambda m: bool(m["spec"]["replicas"] == 0), seconds=10)


async def test_what_others_said_of_a_child_right_before_we_changed_it_is_looked_at(
    emulated: Server, emulator: Emulator
) -> None:
    """The plan knew nothing of it, and the watch tells of it behind the answer, or not at all."""

    def speak(asked: Asked, _: str) -> None:
        if (asked.verb, asked.what) == ("patch", "deployments") and not emulator.faults.silent:
            emulator.faults.silent = True
            status = {"observedGeneration": 1, "unavailableReplicas": 1}
            emulator.objects.merge("deployments", asked.namespace, asked.name, {"status": status}, status=True)

    async with running(emulated) as operator:
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()
        before = operator.parts.queue.attempts
        emulator.traffic.listeners.append(speak)
        await emulated.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"suspend": True}})
        await until(lambda: emulator.faults.silent and operator.parts.queue.attempts == before + 2)


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


async def test_a_kind_that_may_not_be_watched_for_a_moment_is_seen_again(emulated: Server, emulator: Emulator) -> None:
    """The watch alone was refused, so no list follows; the first answer of the next watch is sight enough."""
    async with running(emulated) as operator:
        emulator.faults.refuse["watch", "services"] = 403
        emulator.faults.times["watch", "services"] = 1
        emulator.hang_up_watches()
        blindness = operator.parts.caches.blindness
        await until(lambda: blindness(kinds.SERVICE, emulated.namespace) is not None)
        await until(lambda: blindness(kinds.SERVICE, emulated.namespace) is None)
        await a_served_model(emulated)
        await found(emulated, kinds.SERVICE, "qwen3")


async def test_a_namespace_that_may_not_be_seen_costs_the_others_nothing(emulated: Server, emulator: Emulator) -> None:
    """Somebody deleted it, and its Role went with it."""
    emulator.faults.forbidden.add("gone")
    async with running(emulated, also=("gone",)) as operator:
        assert await operation.preflight(operator.parts) == (emulated.namespace,)
        assert operator.parts.out_of_sight == {"gone"}
        await a_served_model(emulated)
        model = await found(emulated, kinds.QWEN_MODEL, "qwen3", reported)
        assert condition(model, "Applied")["status"] == "True"


async def test_a_namespace_that_can_be_seen_again_is_served_by_a_new_run(
    emulated: Server, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends well, and whoever started it starts the next."""
    monkeypatch.setattr(operation, "LOOKOUT_PAUSE", 0.05)
    emulator.faults.forbidden.add("gone")
    parts = assembled(settings(emulated, "gone"), emulated.credentials, "one")
    await operation.preflight(parts)
    run = asyncio.create_task(operation.run(parts, forever()))
    await until(parts.lease.held)
    assert not run.done()
    emulator.faults.forbidden.clear()
    await asyncio.wait_for(run, 10)
    assert await operation.preflight(parts) == (emulated.namespace, "gone")
    await parts.transport.close()


async def test_no_namespace_in_sight_is_one_sentence(emulated: Server, emulator: Emulator) -> None:
    """There is nothing to serve then."""
    emulator.faults.forbidden |= {emulated.namespace, "gone"}
    parts = assembled(settings(emulated, "gone"), emulated.credentials, "one")
    with pytest.raises(operation.CannotStart, match="QwenModels cannot be listed"):
        await operation.preflight(parts)
    await parts.transport.close()


async def forever() -> None:
    """A watch of models that never ends."""
    await asyncio.Event().wait()


async def test_a_write_that_waited_for_its_turn_is_not_sent_without_the_lease(emulator: Emulator) -> None:
    """The Lease may run out while sixteen other requests are under way."""
    held = True
    transport = Transport(Credentials(Configuration(host=emulator.url)), Metrics(), lambda: held)
    emulator.faults.stall = asyncio.Event()
    cluster = Cluster(transport)
    others = [asyncio.create_task(cluster.list_page(kinds.SERVICE, "team")) for _ in range(IN_FLIGHT)]
    await until(lambda: emulator.traffic.requests["list", "services"] == IN_FLIGHT)
    write = asyncio.create_task(cluster.create(kinds.SECRET, {"metadata": {"namespace": "team", "name": "late"}}))
    await asyncio.sleep(0.05)
    held = False
    emulator.faults.stall.set()
    with pytest.raises(NotLeading):
        await write
    await asyncio.gather(*others)
    assert emulator.traffic.requests["create", "secrets"] == 0
    await transport.close()


async def test_a_write_that_is_not_answered_is_broken_off_while_the_lease_still_bars_others() -> None:
    """Of an API server that takes requests and says nothing; a read may wait as long as it takes."""

    async def hears(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(hears, host="127.0.0.1")
    port = silent.sockets[0].getsockname()[1]
    credentials = Credentials(Configuration(host=f"http://127.0.0.1:{port}"))
    transport = Transport(credentials, Metrics(), lambda: True, time_to_write=lambda: 0.1)
    read = asyncio.create_task(Cluster(transport).list_page(kinds.SERVICE, "team"))
    with pytest.raises(Unreachable, match="did not answer in time"):
        await Cluster(transport).create(kinds.SECRET, {"metadata": {"namespace": "team", "name": "late"}})
    assert not read.done()
    read.cancel()
    await transport.close()
    silent.close()


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
    """Each first write is carried out and answered by a 500: everything is there once, in the end."""
    for resource in ("secrets", "services", "deployments"):
        written = "create" if resource == "secrets" else "patch", resource
        emulator.faults.lose.add(written)
        emulator.faults.times[written] = 1
    async with running(emulated):
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Applied").get("status") == "True")
        names = [m["metadata"]["name"] for m in emulator.objects.all("secrets", emulated.namespace)]
        assert names == ["qwen3-api-keys"]
    assert max(emulator.faults.times.values()) <= 0, "each fault took place"


async def test_a_secret_of_a_former_model_that_is_about_to_be_collected_is_not_taken_for_the_new_ones(
    emulated: Server, emulator: Emulator
) -> None:
    """The operator can't see whose it is, so it tries again for a while, and the model does not stay without a key."""
    former = {"metadata": {"name": "qwen3-api-keys"}, "stringData": {"default": "sk-former"}}
    uid = emulator.objects.create("secrets", emulated.namespace, former)["metadata"]["uid"]
    async with running(emulated):
        await emulated.create(kinds.CLAIM, a_claim())
        await emulated.create(kinds.QWEN_MODEL, a_model())
        await until(lambda: emulator.traffic.requests["create", "secrets"] > 0)
        emulator.objects.delete("secrets", emulated.namespace, "qwen3-api-keys")

        await found(emulated, kinds.DEPLOYMENT, "qwen3")
        secret = await found(emulated, kinds.SECRET, "qwen3-api-keys")

    assert secret["metadata"]["uid"] != uid


async def test_one_models_trouble_is_not_the_others(emulated: Server, emulator: Emulator) -> None:
    """An object from before the definition forbade it gets a status that says so, and its neighbour is served."""
    async with running(emulated):
        broken = a_model("broken") | {"spec": {"model": "not an object"}}
        emulator.objects.create("qwenmodels", emulated.namespace, broken)
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
        async with running(emulated, identity="two", standby=True) as second:
            await until(lambda: all(informer.settled.is_set() for informer in second.parts.informers))
            await emulated.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"suspend": True}})
            await found(emulated, kinds.DEPLOYMENT, "qwen3", lambda m: bool(m["spec"]["replicas"] == 0))
            await first.settle()
            await first.parts.lease.release()
            await second.settle()
            assert second.parts.lease.held()
            assert second.requests(WRITES) == 0


async def test_an_absent_definition_is_one_sentence(emulated: Server, emulator: Emulator) -> None:
    """Without the kind there is nothing to serve: the process ends and says how to install it."""
    async with running(emulated) as operator:
        emulator.faults.refuse["list", "qwenmodels"] = 404
        with pytest.raises(operation.CannotStart, match="Install the CustomResourceDefinition first"):
            await operation.preflight(operator.parts)
