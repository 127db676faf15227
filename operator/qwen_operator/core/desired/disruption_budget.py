"""The PodDisruptionBudget of a model with several replicas: a drained node takes one of them at a time.

Why it exists: a replica takes minutes to come back. It must never stand in the way of a drain for good: of a single
replica it would, so there is none for it.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import DISRUPTION_BUDGET
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest


def disruption_budget(model: QwenModel) -> Manifest:
    """The budget. A replica that does not serve anyhow is no reason to hold a node up."""
    return child(
        model,
        DISRUPTION_BUDGET,
        names.disruption_budget(model.metadata.name),
        spec={
            "maxUnavailable": 1,
            "selector": {"matchLabels": names.selector(model.metadata.name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )
