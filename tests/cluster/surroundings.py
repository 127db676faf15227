"""What stands beside a model and is in its way: somebody else's objects. A test makes each and takes it away.

Names without a namespace of their own (volumes, nodes) carry the namespace of the stage, so that none meets another's.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hack.cluster.pause import IMAGE as PAUSE
from hack.demo.chart import Images
from hack.demo.kube import Kube
from hack.demo.pod import restricted
from tests.cluster.stage import PART_OF, eventually

Manifest = dict[str, Any]
Labels = dict[str, str]

FOREIGN_GPU = "example.com/gpu"
"""A resource that no node has and a quota counts, so that no other model meets that quota."""
GPU_PRODUCT = "NVIDIA-H200"
NOBODY = "localhost:1"
"""A registry that nobody serves."""
PRIVATE = "localhost:5999"
"""A registry on the node itself that asks for a password."""
OTHERS = (NOBODY, PRIVATE, PAUSE.rpartition(":")[0])
"""What models of the ring name as their image, beside the operator's own."""
HOLD = "qwen-operator.io/e2e"
"""A finalizer of the ring's own: what bears it stays until the test lets it go."""


def service(name: str) -> Manifest:
    """Somebody else's Service."""
    spec = {"ports": [{"port": 80}], "selector": {"app": "something-else"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def empty_secret(name: str) -> Manifest:
    """A Secret of keys from which the last key was revoked."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def quota() -> Manifest:
    """None of a foreign resource, and no load balancer."""
    hard = {f"requests.{FOREIGN_GPU}": "0", "services.loadbalancers": "0"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": hard}}


def claim(name: str, *, mode: str = "ReadWriteOnce", **spec: object) -> Manifest:
    """A claim; without a class of its own, none is asked for."""
    asked = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "", **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": asked}


def lost_claim(name: str) -> Manifest:
    """A claim that was bound to a volume which is gone."""
    made = claim(name, volumeName=f"{name}-that-was-here")
    made["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    return made


def held_claim(name: str) -> Manifest:
    """A claim that does not go when it is deleted."""
    made = claim(name)
    made["metadata"]["finalizers"] = [HOLD]
    return made


def volume(name: str, claimed: str, namespace: str, *, mode: str = "ReadWriteOnce", host: str = "") -> Manifest:
    """A volume for one claim, on one host alone if that is given."""
    there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [host]}
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [there]}]}}} if host else {}
    spec = {
        "accessModes": [mode],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/tmp"},  # noqa: S108  (never mounted for writing)
        "storageClassName": "",
        "claimRef": {"name": claimed, "namespace": namespace},
        **affinity,
    }
    labels = dict([PART_OF.split("=")])
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": labels}, "spec": spec}


def holder(name: str, claimed: str, namespace: str, images: Images) -> Manifest:
    """A pod that uses a claim, and does nothing else."""
    container = {
        "name": "holder",
        "image": images.operator,
        "command": ["python3", "-c", "import time; time.sleep(900)"],
        "volumeMounts": [{"name": "claim", "mountPath": "/claim", "readOnly": True}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "runAsUser": 10001, "capabilities": {"drop": ["ALL"]}},
    }
    used = {"name": "claim", "persistentVolumeClaim": {"claimName": claimed, "readOnly": True}}
    return restricted(name, namespace, container, volumes=(used,))


GATEKEEPER = f"""
import http.server
class Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_HEAD = do_GET
http.server.HTTPServer(("127.0.0.1", {PRIVATE.rpartition(":")[2]}), Refusing).serve_forever()
"""


def gatekeeper(namespace: str, images: Images) -> Manifest:
    """A registry on the node's own localhost that asks everybody for a password."""
    container = {"name": "registry", "image": images.operator, "command": ["python3", "-c", GATEKEEPER]}
    spec = {
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "containers": [container],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "private-registry", "namespace": namespace},
        "spec": spec,
    }


@contextmanager
def a_gpu_node(kube: Kube, namespace: str, gpus: int) -> Iterator[str]:
    """A node with GPUs as the scheduler sees one, for less than the half minute after which a kubelet is missed.

    It is an object and nothing else: a pod of the namespace that is given to it is never started, and goes with it.
    """
    name = f"{namespace}-gpu"
    labels = {"kubernetes.io/hostname": name, "nvidia.com/gpu.product": GPU_PRODUCT, **dict([PART_OF.split("=")])}
    there = {"cpu": "32", "memory": "512Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "made up for a test"}
    status = {"status": {"capacity": there, "allocatable": there, "conditions": [ready]}}
    kube.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    try:
        kube.kubectl("patch", "node", name, "--subresource=status", "--type=merge", f"--patch={json.dumps(status)}")
        eventually(lambda: not _taints(kube, name), f"node {name} has no taint any more", 30)
        yield name
    finally:
        kube.kubectl("delete", "node", name, "--ignore-not-found")
        on_it = (f"--namespace={namespace}", f"--field-selector=spec.nodeName={name}")
        kube.kubectl("delete", "pods", *on_it, "--force", "--grace-period=0")


def _taints(kube: Kube, name: str) -> list[Any]:
    node: dict[str, Any] = kube.object("node", name, "default") or {}
    found: list[Any] = node.get("spec", {}).get("taints", [])
    return found
