"""A change that fails, and one that waits for its image, on an API server: through crashes and a lost status."""

from typing import Any

from qwen_operator.core import kinds, names, pods
from qwen_operator.core.snapshot import Manifest
from tests.operator_api.others import BEGUN, an_account, done, status_of
from tests.operator_api.plugin import kubectl_qwen
from tests.operator_api.running import WRITES, a_claim, a_model, condition, found, gone, running
from tests.operator_api.server import Server

FIRST, SECOND = "registry.example/x:1", "registry.example/x:2"
NOT_FOUND = f'failed to pull and unpack image "{SECOND}": {SECOND}: not found'


async def a_pod(server: Server, name: str, deployment: Manifest, state: Manifest, *, ready: bool = False) -> None:
    """A pod as a ReplicaSet would make it of the Deployment's template, and as a kubelet would report it."""
    await an_account(server)
    template = deployment["spec"]["template"]
    metadata = {"name": name, "labels": template["metadata"]["labels"] | {"pod-template-hash": name}}
    spec = {**template["spec"], "nodeName": "node-a"}
    await server.create(kinds.POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    image = template["spec"]["containers"][0]["image"]
    seen = {"name": names.CONTAINER, "image": image, "imageID": "", "restartCount": 0, "state": state}
    conditions = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": BEGUN},
        {"type": "Ready", "status": str(ready), "lastTransitionTime": BEGUN},
    ]
    status = {"phase": "Running" if ready else "Pending", "conditions": conditions}
    status["containerStatuses"] = [seen | {"ready": ready, "started": ready}]
    await server.merge(status_of(kinds.POD), name, {"status": status})


async def a_served_model(server: Server, strategy: str) -> Manifest:
    """A model of one replica that answers; returns its Deployment."""
    await server.create(kinds.CLAIM, a_claim())
    spec: dict[str, Any] = {"server": {"image": FIRST}, "rollout": {"strategy": strategy}}
    await server.create(kinds.QWEN_MODEL, a_model(**spec))
    deployment = await found(server, kinds.DEPLOYMENT, "qwen3")
    await a_pod(server, "old", deployment, {"running": {"startedAt": BEGUN}}, ready=True)
    await rolled_out(server)
    revision = revision_of(deployment)
    await found(
        server, kinds.QWEN_MODEL, "qwen3", lambda m: told(m).get("lastGood") == revision and ready(m) == "Ready"
    )
    return deployment


async def rolled_out(server: Server) -> None:
    """The Deployment's controller is done."""
    living = await server.get(kinds.DEPLOYMENT, "qwen3")
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    status = {"observedGeneration": living["metadata"]["generation"], **counts}
    await server.merge(status_of(kinds.DEPLOYMENT), "qwen3", {"status": status})


def revision_of(deployment: Manifest) -> str:
    """Which template it has."""
    return pods.revision(deployment["spec"]["template"])


def told(model: Manifest) -> Manifest:
    """What a model's status says of revisions."""
    found: Manifest = (model.get("status") or {}).get("revision") or {}
    return found


def ready(model: Manifest) -> str:
    """Reason of the condition Ready."""
    return str(condition(model, "Ready").get("reason", ""))


async def edit(server: Server, image: str) -> None:
    """Somebody changes the image."""
    await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"server": {"image": image}}})


async def is_told_by_the_plug_in(server: Server, model: Manifest, command: str) -> None:
    """`why` gives the reason that the status has, and what to type."""
    ended = await kubectl_qwen(server, "why", "qwen3", "-o", "json")
    assert (ended.document["ready"], ended.document["reason"]) == (False, ready(model)), ended.err
    assert ended.document["message"] == condition(model, "Ready")["message"]
    assert ended.document["commands"][0].startswith(command)


async def test_a_broken_image_is_taken_back_after_a_crash_and_stays_back_without_a_status(server: Server) -> None:
    """Three processes, one after the other: what they have to know stands on the Deployment."""
    async with running(server):
        first = await a_served_model(server, "Surge")
        await edit(server, SECOND)
        second = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: revision_of(m) != revision_of(first))
    waiting = {"waiting": {"reason": "ErrImagePull", "message": NOT_FOUND}}
    await a_pod(server, "new", second, waiting)
    await server.merge(status_of(kinds.QWEN_MODEL), "qwen3", {"status": None})
    async with running(server, identity="two"):
        back = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: revision_of(m) == revision_of(first))
        assert back["spec"]["template"] == first["spec"]["template"]
        await server.delete(kinds.POD, "new")
        await rolled_out(server)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: ready(m) == "RolledBack")
        assert "ImageNotFound" in condition(model, "Ready")["message"]
        assert condition(model, "Available")["status"] == "True"
        assert told(model) == {
            "current": revision_of(first), "lastGood": revision_of(first), "failed": revision_of(second)
        }  # fmt: skip
    await server.merge(status_of(kinds.QWEN_MODEL), "qwen3", {"status": None})
    async with running(server, identity="three") as operator:
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: ready(m) == "RolledBack")
        await is_told_by_the_plug_in(server, model, f"kubectl edit qwenmodel qwen3 -n {server.namespace}")
        await operator.settle()
        assert operator.requests(WRITES, "deployments") == 0
        await edit(server, "registry.example/x:3")
        third = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: revision_of(m) != revision_of(first))
        assert revision_of(third) != revision_of(second)
        assert names.GIVEN_UP not in third["metadata"]["annotations"]
        assert names.LAST_GOOD in third["metadata"]["annotations"]


async def test_a_rollout_that_comes_up_costs_two_writes_and_leaves_no_trace(server: Server) -> None:
    """The new template, and then the way back is dropped."""
    async with running(server) as operator:
        first = await a_served_model(server, "Surge")
        before = operator.requests(WRITES, "deployments")
        await edit(server, SECOND)
        second = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: revision_of(m) != revision_of(first))
        await a_pod(server, "new", second, {"running": {"startedAt": BEGUN}}, ready=True)
        await server.delete(kinds.POD, "old")
        await rolled_out(server)
        await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: names.LAST_GOOD not in m["metadata"]["annotations"])
        await rolled_out(server)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: told(m).get("lastGood") == revision_of(second))
        await operator.settle()
        assert "failed" not in told(model)
        assert operator.requests(WRITES, "deployments") == before + 2


async def test_in_place_no_replica_goes_before_its_successors_image_is_there(server: Server) -> None:
    """A Job pulls it; once that has worked, the template changes and the Job goes."""
    async with running(server):
        first = await a_served_model(server, "InPlace")
        await edit(server, SECOND)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: ready(m) == "PullingImage")
        await is_told_by_the_plug_in(server, model, "kubectl qwen status qwen3 ")
        name = condition(model, "Ready")["message"].split()[1]
        job = await found(server, kinds.JOB, name)
        assert job["spec"]["template"]["spec"]["containers"][0]["image"] == SECOND
        await same_template(server, first)
        await done(server, name)
        second = await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: revision_of(m) != revision_of(first))
        assert second["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
        await gone(server, kinds.JOB, name)


async def same_template(server: Server, before: Manifest) -> Manifest:
    """The Deployment as it lives, which must have the template from before."""
    living = await server.get(kinds.DEPLOYMENT, "qwen3")
    assert living["spec"]["template"] == before["spec"]["template"]
    return living


async def test_on_delete_the_pods_decide_when_a_change_comes(server: Server) -> None:
    """The status says what it waits for."""
    async with running(server):
        first = await a_served_model(server, "OnDelete")
        await edit(server, SECOND)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda m: ready(m) == "WaitingForDeletion")
        await is_told_by_the_plug_in(server, model, "kubectl delete pods ")
        await same_template(server, first)
        await server.delete(kinds.POD, "old")
        await found(server, kinds.DEPLOYMENT, "qwen3", lambda m: revision_of(m) != revision_of(first))
