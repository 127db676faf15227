"""The pod template of a replica: restricted, without a service account, with all that it writes in scratch volumes.

Why it exists: the pod keeps to the restricted Pod Security profile and to a read-only root file system whatever a model
asks for. It must never take a volume, a security context or a service account from the spec.
"""

from typing import Any

from qwen_operator.core import names
from qwen_operator.core.desired.as_sent import as_sent
from qwen_operator.core.desired.container import container
from qwen_operator.core.desired.models_volume import models_volume
from qwen_operator.core.desired.placement import node_selector, tolerations
from qwen_operator.core.desired.restricted import POD_SECURITY
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import Serving
from qwen_operator.core.snapshot import Manifest

KEY_MODE = 0o440
"""Mode of the mounted keys: readable by the pod's group only."""


def pod(model: QwenModel, serving: Serving) -> Manifest:
    """The pod template."""
    asked = model.spec.scheduling
    optional: dict[str, Any] = {
        "imagePullSecrets": [{"name": secret.name} for secret in model.spec.server.image_pull_secrets],
        "nodeSelector": node_selector(model, serving.devices),
        "tolerations": tolerations(model, serving.devices),
        "topologySpreadConstraints": _spread(model),
        "affinity": as_sent(asked.affinity) if asked.affinity else None,
        "schedulerName": asked.scheduler_name,
        "priorityClassName": asked.priority_class_name,
        "runtimeClassName": asked.runtime_class_name,
    }
    return {
        "metadata": {"labels": names.labels(model.metadata.name)},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": serving.grace_period,
            "securityContext": POD_SECURITY,
            "containers": [container(serving)],
            "volumes": _volumes(serving),
            **{field: value for field, value in optional.items() if value},
        },
    }


def _volumes(serving: Serving) -> list[Manifest]:
    """The model, the keys, and what may be written to.

    The key Secret is optional, so that without it the server starts, says so in its own words and ends before it holds
    a model in memory; else the pod would hang without a word that the operator can see.
    """
    return [
        models_volume(serving.models, serving.pull_policy),
        {"name": "keys", "secret": {"secretName": serving.key_secret, "defaultMode": KEY_MODE, "optional": True}},
        {"name": "cache", "emptyDir": {"sizeLimit": "16Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "4Gi"}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": serving.shared_memory}},
    ]


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
