"""Why the scheduler found no node, from its sentence in the pod's condition `PodScheduled`.

Why it exists: "0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint(s)." names
several hurdles, and a person needs the one to take away. A node falls at its first hurdle in a fixed order, so the
hurdle that stands last in that order is the one that the best node failed at. It must never
weigh the nodes by their number.
"""

import re

from qwen_operator.core import pods
from qwen_operator.core.duration import between
from qwen_operator.core.excerpt import excerpt
from qwen_operator.core.place import place
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import NVIDIA
from qwen_operator.core.snapshot import Manifest

PATIENCE = 120.0
"""Seconds after which a pod that no scheduler has spoken of is told of; a busy one takes less than one."""
KUBERNETES_OWN = "default-scheduler"
"""Scheduler of a pod that names none."""

HURDLES: tuple[tuple[str, Reason], ...] = (
    # before any node is looked at
    ("unbound immediate PersistentVolumeClaims", Reason.CLAIM_PENDING),
    ("ReadWriteOncePod access mode", Reason.ACCESS_MODE_CONFLICT),
    # nearest miss first, so the scheduler's own order (pkg/scheduler/apis/config/v1/default_plugins.go) from its end
    ("didn't satisfy existing pods anti-affinity rules", Reason.NO_NODE_MATCHES),
    ("didn't match pod anti-affinity rules", Reason.NO_NODE_MATCHES),
    ("didn't match pod affinity rules", Reason.NO_NODE_MATCHES),
    ("didn't match pod topology spread constraints", Reason.NO_NODE_MATCHES),
    ("didn't find available persistent volumes to bind", Reason.CLAIM_PENDING),
    ("did not have enough free storage", Reason.CLAIM_PENDING),
    ("node affinity conflict", Reason.VOLUME_NODE_CONFLICT),
    ("didn't match PersistentVolume's node affinity", Reason.VOLUME_NODE_CONFLICT),
    ("no available volume zone", Reason.VOLUME_NODE_CONFLICT),
    ("Insufficient {gpu}", Reason.INSUFFICIENT_GPU),
    ("Insufficient cpu", Reason.INSUFFICIENT_CPU_OR_MEMORY),
    ("Insufficient memory", Reason.INSUFFICIENT_CPU_OR_MEMORY),
    ("didn't match Pod's node affinity/selector", Reason.NO_NODE_MATCHES),
    ("had untolerated taint", Reason.TAINT_NOT_TOLERATED),
    ("were unschedulable", Reason.UNSCHEDULABLE),
)
"""Parts of the scheduler's sentences (plug-ins of kube-scheduler 1.25 to 1.35), in the order in which they count."""

_AFTERWORD = re.compile(r"\s*(no new claims to deallocate, )?preemption: .*", re.DOTALL)
"""What the scheduler adds about making room; it repeats the count of nodes and helps nobody."""


def no_node_was_found(pod: Manifest, model: QwenModel) -> Problem | None:
    """The pod waits for a node, and the scheduler has said why."""
    scheduled = pods.condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return None
    text = _AFTERWORD.sub("", scheduled.get("message", ""))
    facts = _facts(pod, model)
    known = (reason for part, reason in HURDLES if part.format(gpu=facts["resource"]) in text)
    return next(known, Reason.UNSCHEDULABLE).about(why=excerpt(text), **facts)


def nobody_looks_for_a_node(pod: Manifest, model: QwenModel, now: str) -> Problem | None:
    """The scheduler that the pod names has not said a word, so perhaps there is none of that name."""
    waited = seconds_of_silence(pod, now)
    if waited is None or waited < PATIENCE:
        return None
    scheduler = pod.get("spec", {}).get("schedulerName") or model.spec.scheduling.scheduler_name or KUBERNETES_OWN
    return Reason.SCHEDULER_SILENT.about(minutes=int(PATIENCE // 60), pod=pods.name(pod), scheduler=scheduler)


def seconds_of_silence(pod: Manifest, now: str) -> float | None:
    """How long the pod has been there without a word of any scheduler, or None if one has spoken."""
    if pods.condition(pod, "PodScheduled") or pods.node(pod) or pods.finished(pod):
        return None
    return between(pod["metadata"]["creationTimestamp"], now)


def _facts(pod: Manifest, model: QwenModel) -> dict[str, object]:
    """What the pod itself asks for, so that an older pod is not judged by a newer spec."""
    containers = pod.get("spec", {}).get("containers", [{}])
    requests = containers[0].get("resources", {}).get("requests", {})
    gpu = model.spec.resources.gpu_resource_name or NVIDIA
    return {
        "pod": pods.name(pod),
        "namespace": model.metadata.namespace,
        "claim": place(model).claim,
        "resource": gpu,
        "gpus": requests.get(gpu, "0"),
        "cpu": requests.get("cpu", "0"),
        "memory": requests.get("memory", "0"),
    }
