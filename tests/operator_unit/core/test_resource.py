"""A stored object becomes types, or one sentence that names the field."""

from typing import Any

import pytest

from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import InvalidResource, parse
from qwen_operator.core.source import Source, source
from tests.builders import a_body

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a number that is a word": ({"replicas": "two"}, "spec.replicas is not valid"),
    "an unknown device": ({"device": "TPU"}, "spec.device is not valid"),
    "a context out of range": (
        {"model": {"uri": "pvc://m/x", "contextLength": 10}},
        "spec.model.contextLength is not valid",
    ),
    "an amount without sense": ({"resources": {"memory": "much"}}, "spec.resources.memory is not valid"),
    "an item of a list": ({"server": {"env": [{"name": "1x"}]}}, "spec.server.env[0].name is not valid"),
    "a missing field": ({"model": {}}, "spec.model is not valid: Object missing required field `uri`"),
}


@pytest.mark.parametrize(("spec", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_field_is_named(spec: dict[str, Any], sentence: str) -> None:
    """With what was expected, and without the value."""
    with pytest.raises(InvalidResource) as caught:
        parse(a_body(**spec))

    assert caught.value.problem.reason is Reason.INVALID_SPEC
    assert caught.value.problem.message.startswith(sentence)
    assert "much" not in caught.value.problem.message


def test_an_object_without_a_spec_is_refused() -> None:
    """The sentence is about the object."""
    with pytest.raises(InvalidResource, match="The object is not valid: Object missing required field `spec`"):
        parse({"metadata": {"name": "qwen3"}})


def test_an_unknown_field_is_passed_over() -> None:
    """A newer definition may have stored it; the API server refuses typing errors already."""
    assert parse(a_body(later={"x": 1})).spec.replicas == 1


def test_one_field_is_enough() -> None:
    """Everything else has a default."""
    spec = parse({"metadata": {"name": "qwen3"}, "spec": {"model": {"uri": "pvc://models/x"}}}).spec

    assert (spec.device, spec.replicas, spec.suspend) == ("GPU", 1, False)


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("pvc://models/qwen3", Source("pvc", "models", "qwen3")),
        ("pvc://models/a/b/", Source("pvc", "models", "a/b")),
        ("pvc://models", Source("pvc", "models", "")),
        ("hf://Qwen/Qwen3-8B@main", Source("hf", "Qwen", "Qwen3-8B@main")),
    ],
)
def test_a_uri_is_taken_apart(uri: str, parts: Source) -> None:
    """Into scheme, place and path."""
    assert source(uri) == parts


def test_only_a_pvc_uri_names_a_claim() -> None:
    """The informer of claims is asked for nothing else."""
    assert source("pvc://models/x").claim == "models"
    assert source("hf://models/x").claim is None
