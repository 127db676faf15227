"""A claim of the user's is looked at by a Job, as the API server sees it, before replicas take a GPU."""

from qwen_operator.core import kinds
from qwen_operator.core.snapshot import Manifest
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, quantized, report
from tests.operator_api.others import done
from tests.operator_api.running import WRITES, a_claim, a_model, condition, found, running
from tests.operator_api.server import Server
from tests.operator_api.test_weights import spoken, the_job


def on_a_gpu(fit: str = "Enforce") -> Manifest:
    """A QwenModel on a claim, for a GPU whose memory is known."""
    model = a_model()
    asked = {"device": "GPU", "resources": {"gpuProduct": "NVIDIA-H200"}, "validation": {"fit": fit}}
    return model | {"spec": {"model": model["spec"]["model"], **asked}}


async def test_what_a_look_tells_lets_replicas_start_and_nothing_is_written_afterwards(server: Server) -> None:
    """One Job, its word in the status, a Deployment."""
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, on_a_gpu())
        looking = await the_job(server, "describe")
        job = await found(server, kinds.JOB, looking)
        assert await server.find(kinds.DEPLOYMENT, "qwen3") is None

        await spoken(server, looking, report(QWEN3_8B))
        await found(server, kinds.DEPLOYMENT, "qwen3")
        await done(server, looking)
        model = await found(
            server, kinds.QWEN_MODEL, "qwen3", lambda model: condition(model, "Fits").get("status") == "True"
        )
        await operator.settle()
        before = operator.requests(WRITES)
        await operator.settle()

        assert operator.requests(WRITES) == before
        assert model["status"]["weights"]["source"] == model["spec"]["model"]["uri"]
        kept = await server.get(kinds.JOB, looking)
        assert kept["metadata"]["uid"] == job["metadata"]["uid"]


async def test_what_does_not_fit_gets_no_replica(server: Server) -> None:
    """The status says by how much."""
    async with running(server):
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, on_a_gpu())
        await spoken(server, await the_job(server, "describe"), report(quantized(QWEN3_CODER_480B)))
        await found(
            server, kinds.QWEN_MODEL, "qwen3", lambda model: condition(model, "Ready")["reason"] == "WeightsDoNotFit"
        )

        assert await server.find(kinds.DEPLOYMENT, "qwen3") is None


async def test_where_the_answer_is_only_told_replicas_come_at_once_and_the_look_beside_them(server: Server) -> None:
    """Its claim is of one node, so it comes once a replica has that node."""
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, on_a_gpu("Warn"))
        await found(server, kinds.DEPLOYMENT, "qwen3")
        await operator.settle()

        assert operator.requests(WRITES, "jobs") == 0
