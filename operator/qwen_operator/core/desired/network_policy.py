"""The NetworkPolicy around a model's replicas: in to their two ports, and nowhere out.

Why it exists: whatever runs in a replica can send no prompt anywhere. It must never select the Jobs that fetch weights,
which need a way out.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import NETWORK_POLICY
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest


def network_policy(model: QwenModel) -> Manifest:
    """The policy; no rule under `egress` lets anything out."""
    ports = [{"port": port, "protocol": "TCP"} for port in (names.API_PORT, names.MANAGEMENT_PORT)]
    return child(
        model,
        NETWORK_POLICY,
        names.network_policy(model.metadata.name),
        spec={
            "podSelector": {"matchLabels": names.selector(model.metadata.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": ports}],
        },
    )
