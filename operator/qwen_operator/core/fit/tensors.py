"""The tensors of a checkpoint, by how GPUs share them.

Why it exists: a checkpoint has up to a hundred thousand tensors and seven ways to be split; with the bytes of each way
any layout is a few divisions. It must never read a file: names, types and sizes come from whoever can.
"""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Tensor(NamedTuple):
    """One tensor as a safetensors header describes it, or several whose names differ only by numbers, written `*`."""

    name: str
    dtype: str
    """As safetensors spells it: BF16, F8_E4M3, I32 …"""
    size: int
    """Bytes in the file."""


class Split(StrEnum):
    """How the GPUs of a replica share a tensor (vLLM's parallel layers)."""

    EMBEDDING = "Embedding"
    """Rows by tensor parallelism, on the first pipeline stage (`VocabParallelEmbedding`)."""
    HEAD = "Head"
    """Rows by tensor parallelism, on the last pipeline stage (`ParallelLMHead`)."""
    DENSE = "Dense"
    """Rows or columns by tensor parallelism."""
    KEY_VALUE = "KeyValue"
    """As dense, but at most into KV heads; beyond that each head is held several times (`QKVParallelLinear`)."""
    EXPERT = "Expert"
    """Whole experts, or a slice of each, by tensor x data parallelism (`FusedMoE`)."""
    COPY = "Copy"
    """Whole on every GPU of its stage: norms, routers."""
    UNUSED = "Unused"
    """Not loaded: the heads of multi-token prediction, without speculative decoding."""


RULES: tuple[tuple[re.Pattern[str], Split], ...] = tuple(
    (re.compile(pattern), split)
    for pattern, split in (
        (r"^mtp\.|\.mtp\.", Split.UNUSED),
        (r"\.experts\.", Split.EXPERT),
        (r"(^|\.)embed_tokens\.", Split.EMBEDDING),
        (r"^lm_head\.", Split.HEAD),
        (r"\.[kv]_proj\.", Split.KEY_VALUE),
        (r"\.(q_proj|o_proj|gate_proj|up_proj|down_proj|out_proj|in_proj_\w+|conv1d)\.", Split.DENSE),
        (r"\.(A_log|dt_bias)$", Split.DENSE),
    )
)
"""First match decides; what matches nothing is copied."""

FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
"""Bytes of one value."""
CAST = frozenset({"F64", "F32", "F16", "BF16"})
"""Types that the engine turns into the one it computes in; all others stay as they are stored."""

_SCALE = re.compile(r"scale(_inv)?$")

Weights = dict[tuple[Split, str], int]
"""Bytes in the checkpoint by how they are split and by type."""


def split(name: str) -> Split:
    """How a tensor of this name is shared."""
    return next((found for pattern, found in RULES if pattern.search(name)), Split.COPY)


def weights(tensors: Iterable[Tensor]) -> Weights:
    """Bytes by split and type, what is not loaded left out."""
    total: Counter[tuple[Split, str]] = Counter()
    for tensor in tensors:
        total[split(tensor.name), tensor.dtype] += tensor.size
    return {key: size for key, size in total.items() if key[0] is not Split.UNUSED}


def loaded(of: Weights, width: int) -> dict[Split, int]:
    """Bytes in memory by split, when the engine computes in a type of `width` bytes."""
    total: Counter[Split] = Counter()
    for (how, dtype), size in of.items():
        total[how] += size * width // FLOATS[dtype] if dtype in CAST else size
    return dict(total)


def parameters(tensors: Iterable[Tensor]) -> int | None:
    """How many parameters there are, scales not counted; None if some are packed into integers."""
    count = 0
    for tensor in tensors:
        if _SCALE.search(tensor.name):
            continue
        if tensor.dtype not in FLOATS:
            return None
        count += tensor.size // FLOATS[tensor.dtype]
    return count
