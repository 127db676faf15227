"""The pod template of a replica: restricted, without a service account, with all that it writes in scratch volumes.

Why it exists: the pod keeps to the restricted Pod Security profile and to a read-only root file system whatever a model
asks for. It must never take a volume, a security context or a service account from the spec.
"""

from typing import Any

from qwen_operator.core import names
from qwen_operator.core.desired.container import container
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.scheduling import Toleration
from qwen_operator.core.serving import GRACE_PERIOD, Devices, Serving
from qwen_operator.core.snapshot import Manifest

USER = 65532
"""Numeric user and group of the server; any other would do, the image depends on none."""

KEY_MODE = 0o440
"""Mode of the mounted keys: readable by the pod's group only."""

PRODUCT_LABEL = "nvidia.com/gpu.product"
"""Node label by NVIDIA's GPU feature discovery."""


def pod(model: QwenModel, serving: Serving) -> Manifest:
    """The pod template."""
    asked = model.spec.scheduling
    optional: dict[str, Any] = {
        "imagePullSecrets": [{"name": secret.name} for secret in model.spec.server.image_pull_secrets],
        "nodeSelector": _node_selector(model, serving.devices),
        "tolerations": _tolerations(model, serving.devices),
        "topologySpreadConstraints": _spread(model),
        "priorityClassName": asked.priority_class_name,
        "runtimeClassName": asked.runtime_class_name,
    }
    return {
        "metadata": {"labels": names.labels(model.metadata.name)},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_PERIOD,
            "securityContext": _security(),
            "containers": [container(serving)],
            "volumes": _volumes(serving),
            **{field: value for field, value in optional.items() if value},
        },
    }


def _security() -> Manifest:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _volumes(serving: Serving) -> list[Manifest]:
    """The model, the keys, and what may be written to.

    The key Secret is optional, so that without it the server starts, says so in its own words and ends before it holds
    a model in memory; else the pod would hang without a word that the operator can see.
    """
    return [
        {"name": "models", "persistentVolumeClaim": {"claimName": serving.claim, "readOnly": True}},
        {"name": "keys", "secret": {"secretName": serving.key_secret, "defaultMode": KEY_MODE, "optional": True}},
        {"name": "cache", "emptyDir": {"sizeLimit": "16Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "4Gi"}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": serving.shared_memory}},
    ]


def _node_selector(model: QwenModel, devices: Devices | None) -> dict[str, str]:
    product = {PRODUCT_LABEL: devices.product} if devices and devices.product else {}
    return {**model.spec.scheduling.node_selector, **product}


def _tolerations(model: QwenModel, devices: Devices | None) -> list[Manifest]:
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


def _spread(model: QwenModel) -> list[Manifest]:
    """Only replicas of the same template are counted, so that a rollout doesn't stand in its own way."""
    return [
        {
            "topologyKey": asked.topology_key,
            "maxSkew": asked.max_skew,
            "whenUnsatisfiable": asked.when_unsatisfiable,
            "labelSelector": {"matchLabels": names.selector(model.metadata.name)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for asked in model.spec.scheduling.topology_spread_constraints
    ]
