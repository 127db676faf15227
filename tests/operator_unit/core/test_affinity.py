"""Nodes as an affinity demands them, read as the scheduler reads it."""

from typing import Any

import pytest

from qwen_operator.core.affinity import allows
from tests.builders import a_model

NODE = {"pool": "a", "gpus": "8", "empty": ""}


def affinity(*terms: Any) -> dict[str, Any]:
    """An affinity to nodes of which one of the terms is so; a term is one requirement, or several."""
    listed = [{"matchExpressions": term if isinstance(term, list) else [term]} for term in terms]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}}}


def on_the_node(asked: dict[str, Any]) -> bool:
    """Whether the node is as asked."""
    return allows(a_model(scheduling={"affinity": asked}).spec.scheduling.affinity, NODE)


def a_label(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A requirement."""
    return {"key": key, "operator": operator, "values": list(values)}


SO = [
    a_label("pool", "In", "b", "a"),
    a_label("pool", "NotIn", "b"),
    a_label("other", "NotIn", "b"),
    a_label("empty", "Exists"),
    a_label("empty", "In", ""),
    a_label("other", "DoesNotExist"),
    a_label("gpus", "Gt", "7"),
    a_label("gpus", "Lt", "9"),
]
NOT_SO = [
    a_label("pool", "In", "b"),
    a_label("other", "In", "b"),
    a_label("pool", "NotIn", "b", "a"),
    a_label("other", "Exists"),
    a_label("empty", "DoesNotExist"),
    a_label("gpus", "Gt", "8"),
    a_label("gpus", "Lt", "8"),
    a_label("pool", "Gt", "0"),
    a_label("other", "Lt", "9"),
]


@pytest.mark.parametrize("requirement", SO, ids=str)
def test_a_node_that_is_so_is_allowed(requirement: dict[str, Any]) -> None:
    """A label that is missing is in no list."""
    assert on_the_node(affinity(requirement))


@pytest.mark.parametrize("requirement", NOT_SO, ids=str)
def test_a_node_that_is_not_so_is_not_allowed(requirement: dict[str, Any]) -> None:
    """A word is neither above nor below a number."""
    assert not on_the_node(affinity(requirement))


def test_one_term_is_enough_and_all_of_it_must_be_so() -> None:
    """Terms are alternatives, requirements within one are not."""
    assert on_the_node(affinity(NOT_SO[0], SO[0]))
    assert not on_the_node(affinity([NOT_SO[0], SO[0]]))


def test_without_a_demand_on_nodes_every_node_is_allowed() -> None:
    """A wish is none, nor is one about pods."""
    wish = {"weight": 1, "preference": {"matchExpressions": [NOT_SO[0]]}}

    assert allows(None, NODE)
    assert on_the_node({"podAffinity": {}})
    assert on_the_node({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}})
