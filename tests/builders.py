"""Objects for tests: each builder takes only what a test varies."""

import json
from pathlib import Path
from typing import Any

from qwen_operator.core import kinds, plan, resource
from qwen_operator.core.kinds import Kind
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply

UID = "1b9ab5b4-6f6c-4a2e-9e0f-3d5d5d3f0c11"
NOW = "2026-11-24T12:00:00Z"
SETTINGS = Settings(
    server_image="registry.example/qwen-operator/server:3f2a",
    server_cpu_image="registry.example/qwen-operator/cpu:77b0",
    weights_image="registry.example/qwen-operator/operator:51d0",
)
GOLDEN = Path(__file__).parent / "golden"

POD_DEFAULTS: Manifest = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
}
CONTAINER_DEFAULTS: Manifest = {"terminationMessagePath": "/dev/termination-log"}
PROBE_DEFAULTS: Manifest = {"successThreshold": 1}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def a_model(name: str = "qwen3", *, status: Manifest | None = None, generation: int = 1, **spec: Any) -> QwenModel:
    """A model on a claim, on a CPU unless the test says GPU."""
    return resource.parse(a_body(name, status=status, generation=generation, **spec))


def a_body(name: str = "qwen3", *, status: Manifest | None = None, generation: int = 1, **spec: Any) -> Manifest:
    """A model as the API server sends it."""
    return {
        "apiVersion": "qwen-operator.io/v1alpha1",
        "kind": "QwenModel",
        "metadata": {"name": name, "namespace": "team", "uid": UID, "generation": generation},
        "spec": {"model": {"uri": "pvc://models/qwen3"}, "device": "CPU", **spec},
        "status": status or {},
    }


def a_claim(phase: str = "Bound", **metadata: str) -> Manifest:
    """The claim that a model's files are on."""
    return {
        "metadata": {"name": "models", "namespace": "team", **metadata},
        "spec": {"volumeName": "v1"},
        "status": {"phase": phase},
    }


def applied(model: QwenModel, kind: Kind) -> Manifest:
    """A child as it is sent for a new model whose files are there."""
    steps = plan.make(model, Snapshot(claim=a_claim()), SETTINGS).steps
    return next(step.manifest for step in steps if isinstance(step, Apply) and step.kind == kind)


def a_service(model: QwenModel) -> Manifest:
    """The model's Service as the API server stores it."""
    service = _copy(applied(model, kinds.SERVICE))
    service["metadata"] |= {"uid": "5e", "resourceVersion": "11", "creationTimestamp": NOW}
    service["spec"] |= {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ipFamilies": ["IPv4"]}
    service["spec"] |= {"ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None"}
    return service | {"status": {"loadBalancer": {}}}


def a_network_policy(model: QwenModel) -> Manifest:
    """The model's NetworkPolicy as the API server stores it."""
    policy = _copy(applied(model, kinds.NETWORK_POLICY))
    policy["metadata"] |= {"uid": "0f", "resourceVersion": "13", "creationTimestamp": NOW}
    return policy


def a_deployment(model: QwenModel, *, generation: int = 1, observed: int | None = None, **counts: int) -> Manifest:
    """The model's Deployment as the API server stores it, defaults included, with the replica counts of its status."""
    deployment = _copy(applied(model, kinds.DEPLOYMENT))
    deployment["metadata"] |= {"uid": "de", "resourceVersion": "12", "generation": generation, "creationTimestamp": NOW}
    deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    pod = deployment["spec"]["template"]["spec"]
    pod |= POD_DEFAULTS
    [container] = pod["containers"]
    container |= CONTAINER_DEFAULTS
    for probe in PROBES:
        container[probe] |= PROBE_DEFAULTS
        container[probe]["httpGet"] |= {"scheme": "HTTP"}
    status = {"observedGeneration": generation if observed is None else observed, **counts}
    return deployment | {"status": status}


def rolled_out(model: QwenModel, count: int, **more: int) -> Manifest:
    """The Deployment with so many replicas, all of them new and ready."""
    counts = {"replicas": count, "updatedReplicas": count, "readyReplicas": count, "availableReplicas": count}
    return a_deployment(model, **(counts | more))


def a_pod(name: str = "qwen3-7d9f-abcde", *, template: str = "7d9f", created: str = NOW, **more: Any) -> Manifest:
    """A pod that has a node and no container yet; `status` and `deleted` may say otherwise."""
    metadata = {
        "name": name,
        "namespace": "team",
        "creationTimestamp": created,
        "labels": {"pod-template-hash": template},
    }
    if deleted := more.get("deleted"):
        metadata["deletionTimestamp"] = deleted
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": created}
    status = {"phase": "Pending", "conditions": [scheduled]} | more.get("status", {})
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": "server", "image": "registry.example/x:1"}]},
        "status": status,
    }


def recorded(name: str) -> tuple[QwenModel, Snapshot]:
    """A model with its Deployment and pods as a real cluster reported them (tests/golden/pods)."""
    record = json.loads((GOLDEN / "pods" / f"{name}.json").read_text())
    metadata = {"name": record["deployment"]["metadata"]["name"], "namespace": "fixtures", "uid": UID, "generation": 1}
    model = resource.parse({"metadata": metadata, "spec": record["spec"]})
    return model, Snapshot(deployment=record["deployment"], pods=tuple(record["pods"]), claim=a_claim())


def recordings() -> list[str]:
    """Names of all recorded situations."""
    return sorted(path.stem for path in (GOLDEN / "pods").glob("*.json"))


def _copy(manifest: Manifest) -> Manifest:
    copy: Manifest = json.loads(json.dumps(manifest))
    return copy
