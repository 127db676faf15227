"""What the API server itself refuses, with a sentence that names the field; no model of these ever exists."""

from typing import Any

import pytest

from tests.cluster.stage import Stage

URI = "pvc://models/some-model"

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no model at all": ({"device": "CPU"}, "spec.model: Required value"),
    "no uri": ({"model": {}}, "spec.model.uri: Required value"),
    "a uri without a scheme": ({"model": {"uri": "models/some-model"}}, "model.uri must start with pvc://"),
    "a path that climbs": ({"model": {"uri": "pvc://models/../other"}}, "model.uri must be pvc://<claim>/<folder>"),
    "a hub model without an organisation": ({"model": {"uri": "hf://Qwen3-8B"}}, "model.uri must be hf://"),
    "too small a context": ({"model": {"uri": URI, "contextLength": 10}}, "spec.model.contextLength"),
    "a context that is no number": ({"model": {"uri": URI, "contextLength": "long"}}, "spec.model.contextLength"),
    "an unknown device": ({"model": {"uri": URI}, "device": "TPU"}, "spec.device"),
    "replicas below zero": ({"model": {"uri": URI}, "replicas": -1}, "spec.replicas"),
    "a GPU on the CPU": ({"model": {"uri": URI}, "device": "CPU", "resources": {"gpus": 1}}, "resources.gpus"),
    "memory without sense": ({"model": {"uri": URI}, "resources": {"memory": "much"}}, "resources.memory"),
    "a flag that has a field": ({"model": {"uri": URI}, "server": {"args": ["--port=1"]}}, "server.args[]"),
    "a variable of the operator's": (
        {"model": {"uri": URI}, "server": {"env": [{"name": "VLLM_API_KEY", "value": "x"}]}},
        "server.env[].name",
    ),
    "a field that does not exist": ({"model": {"uri": URI}, "replicaz": 2}, 'unknown field "spec.replicaz"'),
    "a port out of range": ({"model": {"uri": URI}, "service": {"port": 70000}}, "spec.service.port"),
}


@pytest.mark.parametrize(("spec", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_spec_is_refused_at_apply_and_the_field_is_named(
    stage: Stage, spec: dict[str, Any], sentence: str
) -> None:
    """The message tells what to change, and nothing is stored."""
    refusal = stage.refusal("refused", spec)

    assert sentence in refusal
    assert stage.model("refused") is None


def test_a_name_that_no_service_can_bear_is_refused(stage: Stage) -> None:
    """The Service has the model's name, so a dot or 64 letters are too much."""
    assert "metadata.name" in stage.refusal("qwen3.5", {"model": {"uri": URI}})
    assert "metadata.name" in stage.refusal("q" * 64, {"model": {"uri": URI}})
