"""The memory of GPUs from the labels of nodes: read where that is allowed, and never waited for where it is not."""

from collections.abc import AsyncIterator

import pytest

from qwen_operator.core import kinds
from qwen_operator.core.fit.nodes import PRODUCT
from qwen_operator.core.kinds import Kind, Scope
from tests.checkpoints import QWEN3_8B, report
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.others import done
from tests.operator_api.running import READS, a_claim, a_model, condition, found, running
from tests.operator_api.server import Server
from tests.operator_api.test_weights import spoken, the_job

NODE = Kind(api_version="v1", kind="Node", plural="nodes", verbs=("create", "delete"), scope=Scope.NODES)
MIB = 81_559


@pytest.fixture
async def gpu_node(server: Server) -> AsyncIterator[Server]:
    """A node with an H100, as GPU feature discovery labels it."""
    labels = {PRODUCT: "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": str(MIB)}
    manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"of-{server.namespace}", "labels": labels}}
    await server.transport.request("POST", NODE.path(), body=manifest)
    yield server
    await server.transport.request("DELETE", f"{NODE.path()}/of-{server.namespace}")


async def test_a_node_tells_how_much_memory_a_gpu_has(gpu_node: Server) -> None:
    """The model names no GPU; what the Job has measured is held against those that there are."""
    spec = {"model": {"uri": "hf://Qwen/Qwen3-8B"}}
    async with running(gpu_node, read_nodes=True):
        await gpu_node.create(kinds.QWEN_MODEL, a_model() | {"spec": spec})
        measuring = await the_job(gpu_node, "measure")
        await spoken(gpu_node, measuring, report(QWEN3_8B))
        await done(gpu_node, measuring)

        model = await found(
            gpu_node, kinds.QWEN_MODEL, "qwen3", lambda model: condition(model, "Fits").get("status") == "True"
        )

    assert model["status"]["fit"]["have"] == int(MIB * 2**20 * 0.9)


async def test_nodes_are_asked_for_only_where_that_is_switched_on(server: Server) -> None:
    """An operator with rights in its namespaces alone never tries."""
    async with running(server) as operator:
        await operator.settle()

        assert operator.requests(READS, "nodes") == 0


async def test_an_operator_that_may_not_list_nodes_works_all_the_same(emulated: Server, emulator: Emulator) -> None:
    """It has asked, and goes by what a model says."""
    emulator.faults.refuse["list", "nodes"] = 403
    async with running(emulated, read_nodes=True) as operator:
        await emulated.create(kinds.CLAIM, a_claim())
        await emulated.create(kinds.QWEN_MODEL, a_model())
        await found(emulated, kinds.DEPLOYMENT, "qwen3")

        assert operator.requests(READS, "nodes") == 1
