"""Weights on their way to a claim, as the API server sees it: a Job, a claim, a Job, and replicas at the end."""

from qwen_operator.core import kinds, names
from qwen_operator.core.snapshot import Manifest
from tests.operator_api.others import BEGUN, ENDED, an_account, done, status_of
from tests.operator_api.running import WRITES, condition, found, running
from tests.operator_api.server import Server

REPORT = '{"commit": "3f2a1b", "bytes": 1073741824, "files": 9}'


def a_model_on_a_hub(**cache: str) -> Manifest:
    """A QwenModel whose files somebody has to bring."""
    spec = {"model": {"uri": "hf://Qwen/Qwen3-0.6B"}, "device": "CPU", "cache": cache}
    return {"apiVersion": kinds.API_VERSION, "kind": "QwenModel", "metadata": {"name": "qwen3"}, "spec": spec}


async def the_job(server: Server, verb: str) -> str:
    """The name of the model's Job, once it is there."""
    model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: f"qwen3-{verb}-" in message(model))
    return next(word for word in message(model).split() if word.startswith(f"qwen3-{verb}-"))


def message(model: Manifest) -> str:
    """What the condition Ready says, or nothing yet."""
    return str(condition(model, "Ready").get("message", ""))


async def spoken(server: Server, job: str, message: str) -> None:
    """The Job's pod has ended with these last words."""
    await an_account(server)
    labels = {**names.weights_labels("qwen3"), "batch.kubernetes.io/job-name": job}
    container = {"name": names.WEIGHTS_CONTAINER, "image": "registry.example/operator:1"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{job}-x", "labels": labels}}
    await server.create(kinds.POD, pod | {"spec": {"containers": [container], "restartPolicy": "OnFailure"}})
    ended = {"exitCode": 0, "message": message, "startedAt": BEGUN, "finishedAt": ENDED}
    seen = {**container, "imageID": "", "ready": False, "restartCount": 0, "state": {"terminated": ended}}
    await server.merge(
        status_of(kinds.POD), f"{job}-x", {"status": {"phase": "Succeeded", "containerStatuses": [seen]}}
    )


async def test_replicas_come_when_the_files_are_there_and_not_before(server: Server) -> None:
    """Asked, claimed, fetched, served; then nothing is left to do."""
    async with running(server) as operator:
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub())
        measuring = await the_job(server, "measure")
        await spoken(server, measuring, REPORT)
        await done(server, measuring)

        fetching = await the_job(server, "fetch")
        claim = await found(server, kinds.CLAIM, "qwen3-weights")
        assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
        assert "ownerReferences" not in claim["metadata"]
        assert await server.find(kinds.DEPLOYMENT, "qwen3") is None

        await done(server, fetching)
        await found(server, kinds.DEPLOYMENT, "qwen3")
        model = await found(
            server, kinds.QWEN_MODEL, "qwen3", lambda model: condition(model, "WeightsReady")["status"] == "True"
        )
        assert model["status"]["weights"]["commit"] == "3f2a1b"
        await operator.settle()
        before = operator.requests(WRITES)
        await operator.settle()
        assert operator.requests(WRITES) == before


async def test_a_claim_that_was_kept_is_taken_over_by_a_model_of_the_same_name(server: Server) -> None:
    """Half a terabyte is not fetched twice."""
    async with running(server):
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub(size="2Gi"))
        first, job = await found(server, kinds.CLAIM, "qwen3-weights"), await the_job(server, "fetch")
        await server.delete(kinds.QWEN_MODEL, "qwen3")
        if server.emulator is None:  # nothing is collected here: no controller runs
            for kind, name in ((kinds.SERVICE, "qwen3"), (kinds.NETWORK_POLICY, "qwen3"), (kinds.JOB, job)):
                await server.delete(kind, name)
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub(size="2Gi"))
        await the_job(server, "fetch")

        kept = await server.get(kinds.CLAIM, "qwen3-weights")
        assert kept["metadata"]["uid"] == first["metadata"]["uid"]


async def test_a_claim_of_somebody_elses_is_left_alone(server: Server) -> None:
    """It is named, and nothing is fetched into it."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await server.create(
        kinds.CLAIM, {"apiVersion": "v1", "kind": kinds.CLAIM.kind, "metadata": {"name": "qwen3-weights"}, "spec": spec}
    )
    async with running(server):
        await server.create(kinds.QWEN_MODEL, a_model_on_a_hub(size="2Gi"))
        model = await found(
            server, kinds.QWEN_MODEL, "qwen3", lambda model: condition(model, "Applied").get("reason") == "NameTaken"
        )

        assert "PersistentVolumeClaim qwen3-weights" in condition(model, "Applied")["message"]
        claim = await server.get(kinds.CLAIM, "qwen3-weights")
        assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"
