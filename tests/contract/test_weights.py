"""What the weights Job leaves behind is what the operator reads, and both read a URI in the same way."""

import re

import pytest

from qwen_operator.core.fit.architecture import KEYS, QUANTIZATION_KEYS
from qwen_operator.core.fit.facts import LONGEST_REPORT, facts, reported
from qwen_operator.core.resource.spec import URI_RULES
from qwen_server.weights import description
from qwen_server.weights.reasons import WeightsError
from qwen_server.weights.source import Hub, source
from qwen_server.weights.tensors import Tensor
from tests import checkpoints

MODELS = {
    "480B": checkpoints.QWEN3_CODER_480B,
    "480B in FP8": checkpoints.quantized(checkpoints.QWEN3_CODER_480B),
    "8B": checkpoints.QWEN3_8B,
}


def test_both_sides_name_the_same_keys_of_a_configuration() -> None:
    """What one reports the other reads."""
    assert {*description.CONFIG_KEYS, description.QUANTIZATION} == set(KEYS)
    assert set(description.QUANTIZATION_KEYS) == set(QUANTIZATION_KEYS)
    assert description.LONGEST == LONGEST_REPORT


@pytest.mark.parametrize("name", MODELS)
def test_the_operator_reads_the_facts_of_the_largest_models(name: str) -> None:
    """As many tensors as they have, in as many bytes as the kubelet keeps."""
    config, every = MODELS[name], list(checkpoints.tensors(MODELS[name]))

    line = description.report(
        "f" * 40, [tensor.size for tensor in every], config, [Tensor(*tensor) for tensor in every]
    )

    assert len(line.encode()) < LONGEST_REPORT
    assert reported(line) == facts(config, every)


@pytest.mark.parametrize(
    ("uri", "fine"),
    [
        ("hf://Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", True),
        ("hf://Qwen/Qwen3-8B@main", True),
        ("hf://Qwen/Qwen3-8B@refs/pr/1", True),
        ("hf://Qwen/Qwen3_8.b@v1.0", True),
        ("hf://Qwen", False),
        ("hf://Qwen/", False),
        ("hf://Qwen/a/b", False),
        ("hf://-x/a", False),
        ("hf://Qwen/a@", False),
        ("hf://Qwen/ä", False),
    ],
)
def test_both_sides_accept_the_same_names_on_a_hub(uri: str, fine: bool) -> None:
    """The rule of the resource, and the parser of the command line."""
    (pattern,) = set(re.findall(r"matches\('(\^hf:.*?)'\)", str(URI_RULES)))
    assert bool(re.search(pattern, uri, re.ASCII)) is fine
    if fine:
        assert isinstance(source(uri), Hub)
    else:
        with pytest.raises(WeightsError, match="no source of weights"):
            source(uri)
