"""What a layout puts on one GPU, in bytes.

Why it exists: these few formulas are the whole estimate, and each number in them has a source. It must never decide
whether a sum is too much.
"""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from qwen_operator.core.fit.architecture import WIDTHS, Architecture
from qwen_operator.core.fit.layout import Layout, layers_of_a_stage
from qwen_operator.core.fit.tensors import Split, Weights, loaded

GIB = 2**30

BASE_OVERHEAD = round(2.3 * GIB)
"""CUDA context, activations, captured graphs and communication buffers (KAITO's estimator: 2.3 GiB)."""
SHARE_OVERHEAD = 0.05
"""Fragmentation and temporary copies, as a share of the weights on the GPU (KAITO's estimator: 5 %)."""
GATHERED_TOKENS = 32_768
"""Tokens at a time for which the experts' work space is laid out, when ranks gather each other's tokens.

vLLM's `VLLM_FUSED_MOE_CHUNK_SIZE` at the time of the one published measurement (vllm-project/recipes, pull request 12:
8 ranks, 48.66 GiB left), which the work space below meets within 0.5 GiB.
"""
WORK_WIDTH = 2
"""Bytes of a value in that work space: bfloat16."""
BLOCK = 16
"""Tokens of a block of the KV cache, vLLM's default on CUDA."""

Dtype = Literal["Auto", "BFloat16", "Float16", "Float32"]
CacheDtype = Literal["Auto", "FP8"]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is to be served: a model, and how it is asked for."""

    architecture: Architecture
    weights: Weights
    context: int
    """Tokens of prompt and completion of one request."""
    concurrency: int = 1
    """Requests of that length at the same time, in one replica."""
    dtype: Dtype = "Auto"
    """Type the engine computes in; Auto is the model's own."""
    cache_dtype: CacheDtype = "Auto"
    """Type of the KV cache; Auto is the type the engine computes in."""

    @property
    def width(self) -> int:
        """Bytes of a value that the engine computes with."""
        return self.architecture.width if self.dtype == "Auto" else WIDTHS[self.dtype.lower()]

    @property
    def cache_width(self) -> int:
        """Bytes of a value in the KV cache."""
        return 1 if self.cache_dtype == "FP8" else self.width


def kv_per_token(load: Load, layout: Layout) -> int:
    """Bytes that one token keeps on one GPU: `2 x layers x KV heads x head size x bytes`, as split.

    Beyond as many GPUs as KV heads there is nothing left to split. A rank keeps its own requests alone.
    """
    of = load.architecture
    heads = max(1, of.kv_heads // layout.tensor)
    return 2 * layers_of_a_stage(of.attention_layers, layout) * heads * of.head_dim * load.cache_width


def state_per_request(load: Load, layout: Layout) -> int:
    """Bytes that the layers of linear attention keep on one GPU for one request."""
    recurrent = load.architecture.recurrent
    if recurrent is None:
        return 0
    return layers_of_a_stage(recurrent.layers, layout) * recurrent.state(load.width) // layout.tensor


def weights_of_a_gpu(load: Load, layout: Layout) -> int:
    """Bytes of weights on the fullest GPU.

    Embedding and head are on different stages, if there are several; the head may be the embedding once more.
    """
    of, size = load.architecture, loaded(load.weights, load.width)
    ways = {
        Split.DENSE: layout.tensor,
        Split.KEY_VALUE: min(layout.tensor, of.kv_heads),
        Split.EXPERT: layout.expert_ways,
        Split.COPY: 1,
    }
    layered = sum(size.get(split, 0) / parts for split, parts in ways.items())
    ends = [size.get(split, 0) / layout.tensor for split in (Split.EMBEDDING, Split.HEAD)]
    end = sum(ends) if layout.pipeline == 1 else max(ends)
    return ceil(layered * layers_of_a_stage(of.layers, layout) / of.layers + end)


def overhead(load: Load, layout: Layout, weights: int) -> int:
    """Bytes on one GPU beside weights and KV cache, before an engine has been measured."""
    return BASE_OVERHEAD + round(SHARE_OVERHEAD * weights) + _experts_work_space(load, layout)


def _experts_work_space(load: Load, layout: Layout) -> int:
    """With data parallelism each GPU lays out room for the tokens of all ranks, once for each expert they choose."""
    of = load.architecture
    if layout.data == 1 or not of.experts:
        return 0
    return GATHERED_TOKENS * of.experts_per_token * (of.hidden + of.expert_intermediate) * WORK_WIDTH


def kv_cache(load: Load, layout: Layout) -> int:
    """Bytes on one GPU for the requests asked for, on the rank that gets most of them."""
    requests = ceil(load.concurrency / layout.data)
    return requests * (load.context * kv_per_token(load, layout) + state_per_request(load, layout))
