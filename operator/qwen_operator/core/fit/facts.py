"""A model's own facts: its architecture and the bytes of its weights, however they were learnt.

Why it exists: whoever can read a checkpoint (the weights Job on a claim, the command line on a disk or from a hub)
sends the same little, and only here is it understood. It must never take a fact for granted that was not sent.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from qwen_operator.core.fit import tensors
from qwen_operator.core.fit.architecture import Architecture, Unsupported, architecture
from qwen_operator.core.fit.tensors import Split, Tensor, Weights

LONGEST_REPORT = 4096
"""Bytes of a container's termination message that the kubelet keeps."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the fit check knows of a model."""

    architecture: Architecture
    weights: Weights
    parameters: int | None = None
    """Parameters, scales not counted; None if they can't be told from the tensors."""
    exact: bool = True
    """Whether the weights are those of the tensors, not worked out from the architecture and a sum."""


class _Report(msgspec.Struct):
    """What the weights Job writes as its termination message, as JSON.

    `config` holds those keys of config.json that are named in `architecture.KEYS`, and of `quantization_config` those
    in `architecture.QUANTIZATION_KEYS`. `tensors` holds `[name, type, bytes]`, where in a name each number between
    dots is written `*` and the bytes of all tensors of that name and type are added up: a model of 60,000 tensors
    comes to 2 kB.
    """

    config: dict[str, Any]
    tensors: list[Tensor]


def facts(config: dict[str, Any], found: list[Tensor]) -> Facts:
    """Facts of a checkpoint whose tensors are known.

    :raises Unsupported: a clause that says what of it can't be estimated.
    """
    if not found:
        raise Unsupported("it has no tensors")
    return Facts(
        architecture=architecture(config), weights=tensors.weights(found), parameters=tensors.parameters(found)
    )


def reported(message: str) -> Facts:
    """Facts out of a weights Job's termination message.

    :raises Unsupported: if the message is none, or tells of a model that can't be estimated.
    """
    try:
        report = msgspec.json.decode(message, type=_Report)
    except msgspec.DecodeError as error:
        raise Unsupported(f"the weights Job's report can't be read: {error}") from None
    return facts(report.config, report.tensors)


def summed(config: dict[str, Any], total: int) -> Facts:
    """Facts of a checkpoint of which only the index is at hand, which gives the sum of all tensors.

    The sum is shared out as the architecture's shapes say. If shapes and sum differ by more than `LEEWAY`, the types of
    the tensors are not what they seem, and nothing is said.

    :param total: bytes, `metadata.total_size` of model.safetensors.index.json.
    :raises Unsupported: if the architecture's shapes don't explain the sum.
    """
    of = architecture(config)
    implied = _implied(of)
    expected = sum(implied.values())
    if of.quantization not in ("", "fp8") or of.recurrent or abs(total - expected) > LEEWAY * expected:
        raise Unsupported(
            f"the index gives {total} bytes in all, and only the safetensors files themselves tell of what type"
        )
    weights = {key: size * total // expected for key, size in implied.items()}
    return Facts(architecture=of, weights=weights, exact=False)


LEEWAY = 0.05
"""Share by which the index's sum may differ from what the shapes give: scales, biases and odd tensors."""


def _implied(of: Architecture) -> Weights:
    """Bytes by split, from the shapes of the large matrices."""
    keys = of.kv_heads * of.head_dim
    rows = of.vocabulary * of.hidden
    dense = 2 * of.heads * of.head_dim * of.hidden + 3 * of.hidden * (of.intermediate + of.shared_intermediate)
    plain = "F32" if of.width == 4 else "BF16"
    linear, width = ("F8_E4M3", 1) if of.quantization == "fp8" else (plain, of.width)
    return {
        (Split.EMBEDDING, plain): rows * of.width,
        (Split.HEAD, plain): 0 if of.tied else rows * of.width,
        (Split.DENSE, linear): of.layers * dense * width,
        (Split.KEY_VALUE, linear): of.layers * 2 * keys * of.hidden * width,
        (Split.EXPERT, linear): of.layers * of.experts * 3 * of.hidden * of.expert_intermediate * width,
        (Split.COPY, plain): of.layers * of.experts * of.hidden * of.width,
    }
