"""What stands around the replicas beside their address and keys: a fence, and a budget for drains."""

from typing import Any

import pytest

from qwen_operator.core import kinds, plan
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, Delete, Step
from tests.builders import SETTINGS, a_claim, a_model, a_network_policy


def step_of(kind: Kind, *, seen: dict[str, Any] | None = None, **spec: Any) -> Step | None:
    """What a plan does about a kind."""
    steps = plan.make(a_model(**spec), Snapshot(claim=a_claim(), **(seen or {})), SETTINGS).steps
    return next((step for step in steps if step.kind == kind), None)


def budget(**spec: Any) -> Step | None:
    """What a plan does about the budget."""
    return step_of(kinds.DISRUPTION_BUDGET, **spec)


def a_budget() -> Manifest:
    """The budget of two replicas, as it lives."""
    step = budget(replicas=2)
    assert isinstance(step, Apply)
    return step.manifest | {"metadata": {**step.manifest["metadata"], "uid": "b1"}}


def test_several_replicas_leave_a_node_one_at_a_time() -> None:
    """And one that does not serve holds no node up."""
    spec = a_budget()["spec"]

    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert spec["selector"]["matchLabels"]["app.kubernetes.io/component"] == "server"


@pytest.mark.parametrize("spec", [{"replicas": 1}, {"replicas": 0}, {"replicas": 3, "suspend": True}])
def test_a_single_replica_has_no_budget_which_would_hold_its_node_for_good(spec: dict[str, Any]) -> None:
    """None is made, and one that is there goes."""
    assert budget(**spec) is None
    assert isinstance(budget(seen={"disruption_budget": a_budget()}, **spec), Delete)


def test_a_budget_can_be_done_without() -> None:
    """Somebody else may look after that."""
    without = {"podDisruptionBudget": "None"}

    assert budget(replicas=2, disruption=without) is None
    assert isinstance(budget(replicas=2, disruption=without, seen={"disruption_budget": a_budget()}), Delete)


def test_a_fence_lets_nothing_out_and_clients_and_probes_in() -> None:
    """Two ports, no egress."""
    step = step_of(kinds.NETWORK_POLICY)
    assert isinstance(step, Apply)
    spec = step.manifest["spec"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in spec
    assert [port["port"] for port in spec["ingress"][0]["ports"]] == [8000, 8001]
    assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "server"


def test_named_callers_are_let_in_to_the_api_and_everybody_to_the_management_port() -> None:
    """The kubelet and Prometheus are no callers, and a selector of everything is not left out."""
    red = {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["red"]}]}}
    office = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    step = step_of(kinds.NETWORK_POLICY, networkPolicy={"from": [red, office, {"podSelector": {}}]})
    assert isinstance(step, Apply)

    assert step.manifest["spec"]["ingress"] == [
        {"ports": [{"port": 8000, "protocol": "TCP"}], "from": [red, office, {"podSelector": {}}]},
        {"ports": [{"port": 8001, "protocol": "TCP"}]},
    ]
    assert "egress" not in step.manifest["spec"]


def test_a_fence_can_be_done_without() -> None:
    """None is made, and one that is there goes."""
    off = {"mode": "Off"}

    assert step_of(kinds.NETWORK_POLICY, networkPolicy=off) is None
    living = {"network_policy": a_network_policy(a_model())}
    assert isinstance(step_of(kinds.NETWORK_POLICY, networkPolicy=off, seen=living), Delete)
