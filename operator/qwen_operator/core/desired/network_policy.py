"""The NetworkPolicy around a model's replicas: in to their two ports, and nowhere out.

Why it exists: whatever runs in a replica can send no prompt anywhere. It must never select the model's Jobs, which have
policies of their own, or keep the kubelet and Prometheus from the management port.
"""

from typing import Any

from qwen_operator.core import names
from qwen_operator.core.desired.as_sent import as_sent
from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import NETWORK_POLICY
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest


def network_policy(model: QwenModel) -> Manifest:
    """The policy; no rule under `egress` lets anything out."""
    return child(
        model,
        NETWORK_POLICY,
        names.network_policy(model.metadata.name),
        spec={
            "podSelector": {"matchLabels": names.selector(model.metadata.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": _ways_in(model),
        },
    )


def _ways_in(model: QwenModel) -> list[Manifest]:
    """Everybody to both ports, or to the API only those who are named."""
    peers: list[Any] = [as_sent(peer) for peer in model.spec.network_policy.peers]
    if not peers:
        return [{"ports": _ports(names.API_PORT, names.MANAGEMENT_PORT)}]
    return [{"ports": _ports(names.API_PORT), "from": peers}, {"ports": _ports(names.MANAGEMENT_PORT)}]


def _ports(*ports: int) -> list[Manifest]:
    return [{"port": port, "protocol": "TCP"} for port in ports]
