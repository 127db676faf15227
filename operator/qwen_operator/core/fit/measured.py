"""What an engine was seen to use, in place of what it was expected to.

Why it exists: two constants stand for everything that an engine holds beside weights and KV cache; one start on the
GPUs in question knows better. It must never carry a measurement over to another layout, where nothing of it holds.
"""

from dataclasses import dataclass

from qwen_operator.core.fit import memory
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.verdict import Gpu


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Figures of a started engine."""

    cache_tokens: int
    """Tokens that the KV cache of one rank holds: blocks x tokens of a block (`vllm:cache_config_info`)."""


def overhead(load: Load, gpu: Gpu, layout: Layout, seen: Measured) -> int:
    """Bytes of one GPU beside the estimated weights and the KV cache, worked backwards from the cache's size.

    :param load: as the engine was started; the type of its KV cache counts.
    """
    cache = seen.cache_tokens * memory.kv_per_token(load, layout)
    return max(0, gpu.usable - memory.weights_of_a_gpu(load, layout) - cache)
