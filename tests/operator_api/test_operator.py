"""The operator's flow on an API server: the emulator, and a real kube-apiserver where its binary is."""

from typing import Any

from qwen_operator.core import kinds
from qwen_operator.core.snapshot import Manifest
from tests.operator_api.running import (
    READS,
    WRITES,
    a_claim,
    a_model,
    condition,
    found,
    running,
    until,
)
from tests.operator_api.server import Server


def version(manifest: Manifest) -> int:
    """The resource version, which orders writes."""
    return int(manifest["metadata"]["resourceVersion"])


def reported(model: Manifest) -> bool:
    """Whether the operator has said anything."""
    return bool((model.get("status") or {}).get("conditions"))


async def a_served_model(server: Server, **spec: Any) -> Manifest:
    """A model on its claim, stored."""
    await server.create(kinds.CLAIM, a_claim())
    return await server.create(kinds.QWEN_MODEL, a_model(**spec))


async def test_a_new_model_gets_key_fence_replicas_and_address_in_this_order_and_then_a_status(server: Server) -> None:
    """Five writes: four children, each owned by the model, and one status."""
    async with running(server) as operator:
        model = await a_served_model(server)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()
        secret = await server.get(kinds.SECRET, "qwen3-api-keys")
        fence = await server.get(kinds.NETWORK_POLICY, "qwen3")
        deployment = await server.get(kinds.DEPLOYMENT, "qwen3")
        service = await server.get(kinds.SERVICE, "qwen3")
        order = [version(each) for each in (secret, fence, deployment, service, model)]
        assert order == sorted(order)
        for child in (secret, fence, deployment, service):
            (owner,) = child["metadata"]["ownerReferences"]
            assert (owner["uid"], owner["controller"]) == (model["metadata"]["uid"], True)
        assert operator.requests(WRITES) == 5
        assert condition(model, "Applied")["status"] == "True"
        assert model["status"]["observedGeneration"] == model["metadata"]["generation"]


async def test_a_new_model_costs_no_read(server: Server) -> None:
    """What the API server filled into its status before our first word is not taken for a word of ours."""
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await operator.settle()
        before = operator.requests(READS)
        await server.create(kinds.QWEN_MODEL, a_model(replicas=2))
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()
        assert operator.requests(WRITES) == 6
        assert operator.requests(READS) == before


async def test_another_look_at_a_settled_model_reads_and_writes_nothing(server: Server) -> None:
    """A resync costs the API server nothing, defaults that it added included."""
    async with running(server) as operator:
        await a_served_model(server)
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        await operator.settle()
        before = operator.requests(WRITES | READS), operator.parts.queue.attempts
        await operator.settle()
        assert operator.requests(WRITES | READS) == before[0]
        assert operator.parts.queue.attempts == before[1] + 1


async def test_a_restart_writes_nothing(server: Server) -> None:
    """No state is in memory that matters: the next process finds everything as asked."""
    async with running(server):
        await a_served_model(server)
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
    async with running(server, identity="two") as operator:
        await operator.settle()
        assert operator.parts.queue.attempts >= 1
        assert operator.requests(WRITES | {"get"}) == 0


async def test_drift_of_our_fields_is_repaired_and_others_are_left_alone(server: Server) -> None:
    """Own only your fields: a scaled Deployment comes back, an annotation of somebody else's stays."""
    async with running(server):
        await a_served_model(server)
        await found(server, kinds.DEPLOYMENT, "qwen3")
        drift = {"spec": {"replicas": 7}, "metadata": {"annotations": {"team.example/note": "ours"}}}
        await server.merge(kinds.DEPLOYMENT, "qwen3", drift)
        repaired = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: bool(m["spec"]["replicas"] == 1))
        assert repaired["metadata"]["annotations"]["team.example/note"] == "ours"


async def test_a_removed_field_of_ours_is_restored(server: Server) -> None:
    """A selector that somebody took out of the Service is put back."""
    async with running(server):
        await a_served_model(server)
        service = await found(server, kinds.SERVICE, "qwen3")
        await server.merge(kinds.SERVICE, "qwen3", {"spec": {"selector": None}})
        repaired = await found(server, kinds.SERVICE, "qwen3", lambda m: bool(m["spec"].get("selector")))
        assert repaired["spec"]["selector"] == service["spec"]["selector"]


async def test_a_deleted_child_is_made_again(server: Server) -> None:
    """A Service that somebody deleted comes back, with another uid."""
    async with running(server):
        await a_served_model(server)
        first = await found(server, kinds.SERVICE, "qwen3")
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        await server.delete(kinds.SERVICE, "qwen3")
        second = await found(server, kinds.SERVICE, "qwen3", lambda m: bool(m["metadata"]["uid"]))
        assert first["metadata"]["uid"] != second["metadata"]["uid"]


async def test_callers_are_changed_while_replicas_go_on(server: Server) -> None:
    """Another fence is no other pod, and what was asked for is given up as well."""
    red = {"namespaceSelector": {"matchLabels": {"team": "red"}}}
    async with running(server) as operator:
        await a_served_model(server)
        first = await found(server, kinds.DEPLOYMENT, "qwen3")
        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"networkPolicy": {"from": [red]}}})
        fence = await found(server, kinds.NETWORK_POLICY, "qwen3", lambda m: len(m["spec"]["ingress"]) == 2)
        assert [rule.get("from") for rule in fence["spec"]["ingress"]] == [[red], None]
        await operator.settle()
        writes = operator.requests(WRITES)
        await operator.settle()
        assert operator.requests(WRITES) == writes
        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"networkPolicy": {"from": None}}})
        fence = await found(server, kinds.NETWORK_POLICY, "qwen3", lambda m: len(m["spec"]["ingress"]) == 1)
        assert "from" not in fence["spec"]["ingress"][0]
        assert (await server.get(kinds.DEPLOYMENT, "qwen3"))["spec"] == first["spec"]


async def test_an_edit_of_the_spec_reaches_the_deployment_and_the_way_back_too(server: Server) -> None:
    """Suspend and resume: the end state is the first one."""
    async with running(server):
        await a_served_model(server)
        first = await found(server, kinds.DEPLOYMENT, "qwen3")
        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"suspend": True}})
        await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: bool(m["spec"]["replicas"] == 0))
        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"suspend": None}})
        last = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: bool(m["spec"]["replicas"] == 1))
        assert last["spec"] == first["spec"]


async def test_a_foreign_service_of_that_name_is_never_touched_and_costs_that_model_alone(server: Server) -> None:
    """NameTaken says so; the Deployment is still made, and so is the other model."""
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "qwen3", "labels": {"team": "other"}},
        "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "selector": {"app": "other"}},
    }
    stored = await server.create(kinds.SERVICE, foreign)
    async with running(server) as operator:
        await a_served_model(server)
        await server.create(kinds.QWEN_MODEL, a_model("neighbour"))
        model = await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        assert condition(model, "Applied")["reason"] == "NameTaken"
        await found(server, kinds.DEPLOYMENT, "qwen3")
        await found(server, kinds.SERVICE, "neighbour")
        await found(server, kinds.QWEN_MODEL, "neighbour", reported)
        assert await server.get(kinds.SERVICE, "qwen3") == stored
        before = operator.requests(WRITES), operator.parts.queue.attempts
        await until(lambda: operator.parts.queue.attempts >= before[1] + 3)
        assert operator.requests(WRITES) == before[0]


async def test_a_claim_that_comes_later_wakes_the_model_that_waits_for_it(server: Server) -> None:
    """Nothing is made without the claim; when it is there, nobody has to say so."""
    async with running(server) as operator:
        await server.create(kinds.QWEN_MODEL, a_model())
        model = await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        assert condition(model, "Accepted")["reason"] == "ClaimNotFound"
        await operator.settle()
        assert await server.find(kinds.DEPLOYMENT, "qwen3") is None
        await server.create(kinds.CLAIM, a_claim())
        await found(server, kinds.DEPLOYMENT, "qwen3")
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Accepted")["status"] == "True")


async def test_a_second_operator_writes_nothing_while_the_first_one_leads(server: Server) -> None:
    """Side by side: it lists and watches, and what is edited meanwhile is the first one's to write."""
    async with running(server) as first, running(server, identity="two", standby=True) as second:
        await until(lambda: all(informer.settled.is_set() for informer in second.parts.informers))
        await a_served_model(server)
        await found(server, kinds.QWEN_MODEL, "qwen3", reported)
        await first.settle()
        assert (first.parts.lease.held(), second.parts.lease.held()) == (True, False)
        assert len(second.parts.caches.models) == 1
        assert second.requests(WRITES) == 0


async def test_a_clean_stop_hands_the_lease_to_the_next_one_at_once(server: Server) -> None:
    """Its holder is empty then, and the next one needs not wait for it to run out."""
    async with running(server):
        await a_served_model(server)
    lease = await server.get(kinds.LEASE, "qwen-operator")
    assert lease["spec"]["holderIdentity"] == ""
    async with running(server, identity="two") as second:
        assert second.parts.lease.held()
