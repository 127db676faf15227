"""Who owns `replicas`: whoever scales, through the scale subresource of a real API server; we only follow."""

import json
from pathlib import Path
from typing import Any

import pytest

from hack.cluster import binaries
from hack.cluster.control_plane import ControlPlane
from qwen_operator import crd
from qwen_operator import credentials as finding
from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind, Scope
from qwen_operator.core.snapshot import Manifest
from qwen_operator.observe import Metrics
from qwen_operator.transport import Transport
from tests.operator_api.conftest import wait_for
from tests.operator_api.running import WRITES, Running, a_claim, a_model, condition, found, running
from tests.operator_api.server import Server
from tests.operator_api.test_operator import reported

AUTOSCALER = Kind(
    api_version="autoscaling/v2",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    verbs=("create", "patch"),
    scope=Scope.REFERENCED,
)
REAL = pytest.mark.parametrize("server", ["real"], indirect=True)


async def scaled(server: Server, count: int, manager: str = "kubectl-scale") -> Manifest:
    """What `kubectl scale qwenmodel/qwen3 --replicas` sends."""
    path = kinds.QWEN_MODEL.path(server.namespace, "qwen3") + "/scale"
    body = {"spec": {"replicas": count}}
    answer = await server.transport.request(
        "PATCH", path, query={"fieldManager": manager}, body=body, content_type="application/merge-patch+json"
    )
    scale: Manifest = json.loads(answer)
    return scale


def has(count: int) -> Any:
    """Whether a Deployment asks for so many replicas."""
    return lambda manifest: bool(manifest["spec"]["replicas"] == count)


def owners_of_replicas(model: Manifest) -> list[str]:
    """Managers of `spec.replicas`."""
    managed = model["metadata"]["managedFields"]
    return [entry["manager"] for entry in managed if "f:replicas" in entry["fieldsV1"].get("f:spec", {})]


async def settled(operator: Running, server: Server) -> Manifest:
    """The model, once nothing is left to do."""
    await found(server, kinds.QWEN_MODEL, "qwen3", reported)
    await operator.settle()
    return await server.get(kinds.QWEN_MODEL, "qwen3")


@REAL
async def test_whoever_scales_owns_replicas_and_the_operator_follows(server: Server) -> None:
    """One write to the Deployment and one status for each number, none to the model, and none once that is done."""
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model())
        await settled(operator, server)

        for count in (4, 2, 3):
            before = operator.requests(WRITES)
            scale = await scaled(server, count)
            assert scale["kind"] == "Scale"
            await found(server, kinds.DEPLOYMENT, "qwen3", has(count))
            model = await found(
                server,
                kinds.QWEN_MODEL,
                "qwen3",
                lambda m: m["status"]["observedGeneration"] == m["metadata"]["generation"],
            )
            assert model["spec"]["replicas"] == count
            await operator.settle()  # it counts a write when it has read the answer: later than others see it
            # beside these two: a budget is made with the first replica more
            assert operator.requests(WRITES) - before == (3 if count == 4 else 2)

        model = await settled(operator, server)
        before = operator.requests(WRITES)
        await operator.settle()
        assert operator.requests(WRITES) == before
        assert owners_of_replicas(model) == ["kubectl-scale"]


@REAL
async def test_the_scale_subresource_tells_an_autoscaler_what_runs(server: Server) -> None:
    """The number asked for, and a selector of the pods to measure."""
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model(replicas=2))
        await settled(operator, server)

        scale = await scaled(server, 5)

        assert scale["spec"] == {"replicas": 5}
        assert "app.kubernetes.io/instance=qwen3" in scale["status"]["selector"]


async def test_a_suspended_model_keeps_keys_and_weights_and_comes_back_as_it_was(server: Server) -> None:
    """No replica; Service, Secret and claim are the same objects before, meanwhile and afterwards."""
    kept = ((kinds.SECRET, "qwen3-api-keys"), (kinds.SERVICE, "qwen3"), (kinds.CLAIM, "weights"))
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model(replicas=3))
        await found(server, kinds.DEPLOYMENT, "qwen3", has(3))
        before = [(await server.get(*each))["metadata"]["uid"] for each in kept]
        template = (await server.get(kinds.DEPLOYMENT, "qwen3"))["spec"]["template"]

        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"suspend": True}})
        await found(server, kinds.DEPLOYMENT, "qwen3", has(0))
        model = await found(
            server, kinds.QWEN_MODEL, "qwen3", lambda m: condition(m, "Ready").get("reason") == "Suspended"
        )
        assert model["spec"]["replicas"] == 3
        assert [(await server.get(*each))["metadata"]["uid"] for each in kept] == before

        await server.merge(kinds.QWEN_MODEL, "qwen3", {"spec": {"suspend": False}})
        resumed = await found(server, kinds.DEPLOYMENT, "qwen3", has(3))
        assert resumed["spec"]["template"] == template
        assert [(await server.get(*each))["metadata"]["uid"] for each in kept] == before
        await operator.settle()


async def test_a_real_autoscaler_and_the_operator_do_not_pull_at_replicas(tmp_path: Path) -> None:
    """Kubernetes' own controller raises the number to its least and lowers it to its most; neither needs a metric."""
    if not binaries.binaries().built:
        pytest.skip("no real controllers: `make cluster` builds their binary")
    with ControlPlane(tmp_path, controllers=True) as plane:
        definition = crd.document()
        place = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
        plane.api.apply(place + definition["metadata"]["name"], definition)
        wait_for(plane.api, kinds.QWEN_MODEL.path())
        credentials = await finding.find(plane.kubeconfig)
        transport = Transport(credentials, Metrics(), lambda: True)
        server = Server(credentials, transport, kubeconfig=plane.kubeconfig)
        await server.begin()
        await _pulled(server)
        await transport.close()


async def _pulled(server: Server) -> None:
    async with running(server) as operator:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model())
        await settled(operator, server)

        await server.create(AUTOSCALER, _autoscaler("raises", least=3, most=8))
        await found(server, kinds.DEPLOYMENT, "qwen3", has(3), seconds=120)
        await server.delete(AUTOSCALER, "raises")
        await server.create(AUTOSCALER, _autoscaler("lowers", least=1, most=2))
        await found(server, kinds.DEPLOYMENT, "qwen3", has(2), seconds=120)

        model = await settled(operator, server)
        assert model["spec"]["replicas"] == 2
        assert owners_of_replicas(model) == ["kube-controller-manager"]


def _autoscaler(name: str, *, least: int, most: int) -> Manifest:
    target = {"apiVersion": kinds.QWEN_MODEL.api_version, "kind": kinds.QWEN_MODEL.kind, "name": "qwen3"}
    spec = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most}
    return {"apiVersion": AUTOSCALER.api_version, "kind": AUTOSCALER.kind, "metadata": {"name": name}, "spec": spec}
