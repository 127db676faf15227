"""How a model's facts arrive: tensor by tensor, as a weights Job's report, or as a sum."""

import json

import pytest

from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import LONGEST_REPORT, facts, reported, summed
from qwen_operator.core.fit.tensors import Split, Tensor
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, Config, quantized, report, tensors

MODELS = {
    "480B in FP8": quantized(QWEN3_CODER_480B),
    "480B in bfloat16": QWEN3_CODER_480B,
    "8B": QWEN3_8B,
    "8B in FP8": quantized(QWEN3_8B),
}


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_a_report_tells_the_same_as_the_tensors_and_fits_a_termination_message(config: Config) -> None:
    """60,000 tensors in 4 kB: names that differ only by numbers are one."""
    message = report(config)

    assert len(message.encode()) < LONGEST_REPORT
    assert reported(message) == facts(config, list(tensors(config)))


@pytest.mark.parametrize(
    "message", ["", "Killed", "[]", '{"config": {}}', '{"config": {}, "tensors": [["x", "BF16"]]}']
)
def test_what_is_no_report_says_so(message: str) -> None:
    """A Job may have ended in any way."""
    with pytest.raises(Unsupported, match="report can't be read"):
        reported(message)


def test_a_report_of_another_family_says_which() -> None:
    """The sentence reaches the condition."""
    with pytest.raises(Unsupported, match="LlamaForCausalLM"):
        reported(json.dumps({"config": {"architectures": ["LlamaForCausalLM"]}, "tensors": [["a", "BF16", 2]]}))


def test_no_tensors_are_no_model() -> None:
    """Nothing to add up is not zero."""
    with pytest.raises(Unsupported, match="no tensors"):
        facts(QWEN3_8B, [])


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_a_sum_is_shared_out_as_the_shapes_say(config: Config) -> None:
    """Within a hundredth of what the tensors themselves tell, for whatever is more than a hundredth of the whole."""
    exact = facts(config, list(tensors(config)))
    total = sum(tensor.size for tensor in tensors(config))

    estimate = summed(config, total)

    by_split = [_by_split(known.weights) for known in (exact, estimate)]
    large = [split for split, size in by_split[0].items() if size > total / 100]
    assert not estimate.exact
    assert {split: by_split[1][split] for split in large} == {
        split: pytest.approx(by_split[0][split], rel=0.01) for split in large
    }


@pytest.mark.parametrize(
    "config",
    [QWEN3_8B, QWEN3_8B | {"quantization_config": {"quant_method": "awq", "group_size": 128}}],
    ids=["other types than it seems", "packed integers"],
)
def test_a_sum_that_the_shapes_do_not_explain_is_not_shared_out(config: Config) -> None:
    """Half of what bfloat16 would take."""
    with pytest.raises(Unsupported, match="safetensors files themselves"):
        summed(config, 8_000_000_000)


def test_an_unknown_type_is_taken_as_stored() -> None:
    """A type of tomorrow has a size all the same."""
    known = facts(QWEN3_8B, [Tensor("model.layers.0.mlp.up_proj.weight", "F4", 10)])

    assert known.weights == {(Split.DENSE, "F4"): 10}
    assert known.parameters is None


def _by_split(weights: dict[tuple[Split, str], int]) -> dict[Split, int]:
    return {split: sum(size for (how, _), size in weights.items() if how is split) for split in Split}
