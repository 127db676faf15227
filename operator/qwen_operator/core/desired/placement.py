"""Which nodes a model's pods may run on.

Why it exists: replicas, and the Job that fetches onto a volume which only their nodes can use, ask for the same nodes.
It must never ask for a GPU; only a replica does.
"""

from qwen_operator.core.desired.as_sent import as_sent
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.scheduling import Toleration
from qwen_operator.core.serving import Devices
from qwen_operator.core.snapshot import Manifest

PRODUCT_LABEL = "nvidia.com/gpu.product"
"""Node label by NVIDIA's GPU feature discovery."""


def node_selector(model: QwenModel, devices: Devices | None) -> dict[str, str]:
    """Labels of the nodes."""
    product = {PRODUCT_LABEL: devices.product} if devices and devices.product else {}
    return {**model.spec.scheduling.node_selector, **product}


def node_affinity(model: QwenModel) -> Manifest:
    """What an affinity says of nodes, without what it says of pods; empty if it says nothing."""
    asked = model.spec.scheduling.affinity
    return {"nodeAffinity": as_sent(asked.node_affinity)} if asked and asked.node_affinity else {}


def tolerations(model: QwenModel, devices: Devices | None) -> list[Manifest]:
    """The taint that keeps other pods off GPU nodes, and what the model adds."""
    gpu = [{"key": devices.resource, "operator": "Exists", "effect": "NoSchedule"}] if devices else []
    return [*gpu, *(_toleration(asked) for asked in model.spec.scheduling.tolerations)]


def _toleration(asked: Toleration) -> Manifest:
    fields = {
        "key": asked.key,
        "operator": asked.operator,
        "value": asked.value or None,
        "effect": asked.effect,
        "tolerationSeconds": asked.toleration_seconds,
    }
    return {field: value for field, value in fields.items() if value is not None}
