"""The fence around the operator's pod: what it needs to reach, and nothing else."""

from typing import Any

import pytest

from qwen_operator.core import names
from tests.charts.rendering import REQUIRED, VARIANTS, Values, objects, of_kind, the_deployment


def fence(values: Values) -> dict[str, Any]:
    """The NetworkPolicy's spec."""
    [policy] = of_kind(objects(values), "NetworkPolicy")
    return dict(policy["spec"])


def ports(rule: dict[str, Any]) -> list[int]:
    """The ports of a rule."""
    return [each["port"] for each in rule["ports"]]


def test_the_fence_is_around_the_operators_pod_in_both_directions() -> None:
    """An empty rule would let everything through; there is none."""
    found = fence(VARIANTS["marks"])
    labels = the_deployment(VARIANTS["marks"])["spec"]["template"]["metadata"]["labels"]

    assert found["podSelector"]["matchLabels"].items() <= labels.items()
    assert found["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule.get("ports") for rule in [*found["ingress"], *found["egress"]])


def test_probes_and_metrics_come_in_and_nothing_else() -> None:
    """On the one port that the operator opens."""
    [rule] = fence(REQUIRED)["ingress"]
    [container] = the_deployment(REQUIRED)["spec"]["template"]["spec"]["containers"]

    assert ports(rule) == [port["containerPort"] for port in container["ports"]]


@pytest.mark.parametrize(("variant", "api"), [("least", [443, 6443]), ("network", [16443])])
def test_names_the_api_server_and_loading_pods_can_be_reached(variant: str, api: list[int]) -> None:
    """Neither a hub nor anything else outside."""
    assert [ports(rule) for rule in fence(VARIANTS[variant])["egress"]] == [[53, 53], api, [names.MANAGEMENT_PORT]]


@pytest.mark.parametrize(
    ("variant", "namespaces"),
    [("least", ["ops"]), ("namespaces", ["team-a", "team-b", "team-c"]), ("cluster_wide", None)],
)
def test_pods_are_asked_in_the_namespaces_that_are_served(variant: str, namespaces: list[str] | None) -> None:
    """By our own label, which replicas and Jobs bear."""
    [[peer]] = [rule["to"] for rule in fence(VARIANTS[variant])["egress"] if "to" in rule]
    key, _, value = names.OURS.partition("=")

    assert peer["podSelector"] == {"matchLabels": {key: value}}
    assert [one["values"] for one in peer["namespaceSelector"].get("matchExpressions", [])] == (
        [] if namespaces is None else [namespaces]
    )


def test_the_fence_can_be_left_out() -> None:
    """For a cluster whose API server is on another port that nobody knows."""
    assert of_kind(objects(VARIANTS["network_off"]), "NetworkPolicy") == []
