"""An apply that creates or is refused: on the emulator, and on a real API server, whose word this is."""

import pytest

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import Conflict
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.faults import Plan, Strike
from tests.operator_api.running import condition, found, running
from tests.operator_api.server import Server
from tests.operator_api.test_operator import a_served_model

PODS = {"app": "a"}
CONTAINER = {"name": "a", "image": "registry.example/a:1"}
SPECS: dict[Kind, Manifest] = {
    kinds.SERVICE: {"ports": [{"port": 80}], "selector": PODS},
    kinds.NETWORK_POLICY: {"podSelector": {"matchLabels": PODS}},
    kinds.DISRUPTION_BUDGET: {"maxUnavailable": 1, "selector": {"matchLabels": PODS}},
    kinds.CLAIM: {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    kinds.JOB: {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}},
    kinds.DEPLOYMENT: {
        "selector": {"matchLabels": PODS},
        "template": {"metadata": {"labels": PODS}, "spec": {"containers": [CONTAINER]}},
    },
}
"""Every kind that the operator applies."""


@pytest.mark.parametrize("kind", SPECS, ids=lambda kind: kind.plural)
async def test_an_object_is_introduced_once_and_applied_from_then_on(server: Server, kind: Kind) -> None:
    """Refused where one of the name is, whoever made it; and what a later apply leaves out goes."""
    cluster, metadata = Cluster(server.transport), {"namespace": server.namespace, "name": "a"}
    bare: Manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": SPECS[kind]}
    marked = bare | {"metadata": metadata | {"annotations": {"team.example/note": "1"}}}
    introduced = await cluster.introduce(kind, marked)
    with pytest.raises(Conflict):
        await cluster.introduce(kind, marked)
    assert await cluster.get(kind, server.namespace, "a") == introduced
    applied = await cluster.apply(kind, bare)
    assert applied["metadata"]["uid"] == introduced["metadata"]["uid"]
    assert "team.example/note" not in applied["metadata"].get("annotations", {})


async def test_an_introduction_whose_answer_was_lost_is_found_out_by_one_read(
    emulated: Server, emulator: Emulator
) -> None:
    """The model was never reported on and no watch tells of the child: the refusal is looked into, and it goes on."""
    async with running(emulated) as operator:
        emulator.faults.plan = Plan(6, Strike.AFTER)  # the Service, behind claim, model, key, fence, Deployment
        emulator.faults.half_open = {"services"}
        await a_served_model(emulated)
        await found(emulated, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Applied").get("status") == "True")
        assert emulator.faults.plan.struck.startswith("patch services")
        assert operator.requests({"get"}) == operator.requests({"get"}, "services") == 1
