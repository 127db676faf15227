"""Short-lived pods of the demo: admitted where the restricted Pod Security profile is enforced, and taken away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hack.demo.errors import DemoError
from hack.demo.kube import Kube

PART_OF = {"app.kubernetes.io/part-of": "qwen-operator-demo"}
Manifest = dict[str, Any]


def restricted(name: str, namespace: str, *containers: Manifest, volumes: tuple[Manifest, ...] = ()) -> Manifest:
    """A pod that runs once and that the restricted profile admits; containers name themselves."""
    locked = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": PART_OF},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": True, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"securityContext": locked, **container} for container in containers],
            "volumes": list(volumes),
        },
    }


@contextmanager
def standing(kube: Kube, manifest: Manifest) -> Iterator[None]:
    """A pod for as long as the block runs; what an interrupted run left under its name goes first."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    kube.delete("pod", name, namespace)
    kube.apply(manifest)
    try:
        yield
    finally:
        kube.kubectl("delete", "pod", name, f"--namespace={namespace}", "--ignore-not-found", "--wait=false")


def complaint(pod: Manifest) -> str:
    """Why a pod cannot start, when its image cannot be had; empty otherwise."""
    for status in pod.get("status", {}).get("containerStatuses", ()):
        waiting = status.get("state", {}).get("waiting", {})
        if waiting.get("reason") == "ImagePullBackOff":
            return str(waiting.get("message", ""))
    return ""


def ended(kube: Kube, name: str, namespace: str, seconds: float) -> str:
    """Wait until a pod has run to its end and return its phase; raises DemoError when it never will."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pod = kube.object("pod", name, namespace)
        if pod is None:
            raise DemoError(f"Pod {name} was deleted from namespace {namespace} before it had ended: start again.")
        phase: str = pod.get("status", {}).get("phase", "Unknown")
        if phase in {"Succeeded", "Failed"}:
            return phase
        if why := complaint(pod):
            raise DemoError(f"Pod {name} does not start: {why}.")
        time.sleep(0.5)
    raise DemoError(
        f"Pod {name} did not end within {seconds:.0f} s; see `kubectl describe pod {name} --namespace {namespace}`."
    )
