"""The Deployment that runs a model's replicas.

Why it exists: how many replicas there are and how one set is replaced by the next. It must never put anything into the
pod template that changes with the number of replicas or with the operator's version: that would restart every replica.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.desired.pod import pod
from qwen_operator.core.kinds import DEPLOYMENT
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import Serving
from qwen_operator.core.snapshot import Manifest

NO_DEADLINE = 2**31 - 1
"""Kubernetes reads this `progressDeadlineSeconds` as none: loading a large model takes as long as it takes."""

HISTORY = 3
"""Old ReplicaSets kept, for `kubectl rollout history`."""


def deployment(model: QwenModel, serving: Serving) -> Manifest:
    """The Deployment, with its pod template."""
    return child(
        model,
        DEPLOYMENT,
        names.deployment(model.metadata.name),
        spec={
            "replicas": serving.replicas,
            "revisionHistoryLimit": HISTORY,
            "progressDeadlineSeconds": NO_DEADLINE,
            "selector": {"matchLabels": names.selector(model.metadata.name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": _rolling(serving)},
            "template": pod(model, serving),
        },
    )


def _rolling(serving: Serving) -> Manifest:
    """GPUs: a replica makes room for its successor, since spare GPUs can't be counted on. CPU: the successor first."""
    if serving.devices:
        return {"maxSurge": 0, "maxUnavailable": 1}
    return {"maxSurge": 1, "maxUnavailable": 0}
