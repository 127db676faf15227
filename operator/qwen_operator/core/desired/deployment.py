"""The Deployment that runs a model's replicas.

Why it exists: how many replicas there are and how one set is replaced by the next. It must never put anything into the
pod template that changes with the number of replicas or with the operator's version: that would restart every replica.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.desired.pod import pod
from qwen_operator.core.kinds import DEPLOYMENT
from qwen_operator.core.living import digest
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import Serving
from qwen_operator.core.snapshot import Manifest

NO_DEADLINE = 2**31 - 1
"""Kubernetes reads this `progressDeadlineSeconds` as none: loading a large model takes as long as it takes."""

IN_PLACE = frozenset({"InPlace", "OnDelete"})
"""Strategies by which a replica goes before its successor comes."""

REVISION_DIGITS = 10

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
            "strategy": strategy(in_place=model.spec.rollout.strategy in IN_PLACE),
            "template": _marked(pod(model, serving)),
        },
    )


def strategy(*, in_place: bool) -> Manifest:
    """How one set of replicas is replaced: each makes room for its successor, or the successor comes first."""
    surge = {"maxSurge": 0, "maxUnavailable": 1} if in_place else {"maxSurge": 1, "maxUnavailable": 0}
    return {"type": "RollingUpdate", "rollingUpdate": surge}


def _marked(template: Manifest) -> Manifest:
    """The template with its own digest as a label, by which its pods are known whatever admission makes of them.

    The label stands last, so that a step's reason is what has changed and not that something has.
    """
    labels = {**template["metadata"]["labels"], names.REVISION: digest(template)[:REVISION_DIGITS]}
    return {"spec": template["spec"], "metadata": {**template["metadata"], "labels": labels}}
