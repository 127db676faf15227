"""One layout judged: does it fit, with how much to spare, and what would.

Why it exists: the operator's gate and the command line must never differ by a rounding. It must never look for a better
layout; that is `choice`.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from qwen_operator.core.fit import memory
from qwen_operator.core.fit.layout import Layout, obstacle
from qwen_operator.core.fit.memory import BLOCK, GIB, Load
from qwen_operator.core.problems import Problem, Reason


class Verdict(StrEnum):
    """How a layout does."""

    FITS = "Fits"
    """What is asked for fits beside the headroom, and one request more of that length fits, too."""
    TIGHT = "Tight"
    """It fits, but only into the headroom, or with no room for one request more of that length."""
    DOES_NOT_FIT = "DoesNotFit"
    """An engine would not start, or not hold what is asked for."""
    UNKNOWN = "Unknown"
    """Something that decides is not known."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """Memory of one GPU, and how much of it the engine may use."""

    memory: int
    """Bytes, as the driver reports them."""
    utilization: float = 0.9
    """Share that the engine takes, of all memory."""
    headroom: float = 0.03
    """Share of that by which an estimate may be wrong."""

    @property
    def usable(self) -> int:
        """Bytes that the engine may use."""
        return int(self.memory * self.utilization)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What one layout comes to; bytes are those of the fullest GPU."""

    weights: int
    overhead: int
    kv_cache: int
    """For the requests asked for."""
    usable: int
    kv_per_token: int
    largest_context: int
    """Tokens of the longest request that fits, as many at the same time as asked for; 0 if none does."""
    requests: float
    """Requests of the length asked for that one replica holds at the same time."""

    @property
    def need(self) -> int:
        """Bytes that are asked of the GPU."""
        return self.weights + self.overhead + self.kv_cache

    @property
    def free(self) -> int:
        """Bytes left for the KV cache; negative if the weights alone are too much."""
        return self.usable - self.weights - self.overhead


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict on one layout."""

    layout: Layout
    verdict: Verdict
    problem: Problem
    """Reason and sentence of the verdict, be it good or bad."""
    sizes: Sizes | None
    """None if the layout is ruled out by the model's own numbers."""


def judgement(load: Load, gpu: Gpu, layout: Layout, *, overhead: int | None = None) -> Judgement:
    """The verdict on one layout.

    :param overhead: bytes that an engine of this layout was seen to use beside weights and KV cache; None estimates.
    """
    if ruled_out := _context_is_too_long(load) or obstacle(load.architecture, layout):
        return Judgement(layout=layout, verdict=Verdict.DOES_NOT_FIT, problem=ruled_out, sizes=None)
    sizes = _sizes(load, gpu, layout, overhead)
    verdict, problem = _verdict(load, gpu, sizes)
    return Judgement(layout=layout, verdict=verdict, problem=problem, sizes=sizes)


def _context_is_too_long(load: Load) -> Problem | None:
    limit = load.architecture.context_limit
    return Reason.CONTEXT_ABOVE_MODEL_LIMIT.about(context=load.context, limit=limit) if load.context > limit else None


def _sizes(load: Load, gpu: Gpu, layout: Layout, overhead: int | None) -> Sizes:
    weights = memory.weights_of_a_gpu(load, layout)
    beside = memory.overhead(load, layout, weights) if overhead is None else overhead
    per_token, state = memory.kv_per_token(load, layout), memory.state_per_request(load, layout)
    free = gpu.usable - weights - beside
    at_once = ceil(load.concurrency / layout.data)
    longest = (free // at_once - state) // per_token // BLOCK * BLOCK
    return Sizes(
        weights=weights,
        overhead=beside,
        kv_cache=memory.kv_cache(load, layout),
        usable=gpu.usable,
        kv_per_token=per_token,
        largest_context=max(0, min(longest, load.architecture.context_limit)),
        requests=max(0.0, layout.data * free / (load.context * per_token + state)),
    )


def _verdict(load: Load, gpu: Gpu, sizes: Sizes) -> tuple[Verdict, Problem]:
    facts = {
        "need": _gib(sizes.need),
        "have": _gib(sizes.usable),
        "weights": _gib(sizes.weights),
        "overhead": _gib(sizes.overhead),
        "cache": _gib(sizes.kv_cache),
        "free": _gib(max(0, sizes.free)),
        "context": load.context,
        "concurrency": load.concurrency,
        "requests": f"{sizes.requests:.1f}",
        "largest": sizes.largest_context,
        "smaller_cache": "" if load.cache_width == 1 else "set model.kvCacheDtype to FP8, ",
    }
    if not sizes.largest_context:
        return Verdict.DOES_NOT_FIT, Reason.WEIGHTS_DO_NOT_FIT.about(**facts)
    if sizes.kv_cache > sizes.free:
        return Verdict.DOES_NOT_FIT, Reason.KV_CACHE_DOES_NOT_FIT.about(**facts)
    if sizes.need > sizes.usable * (1 - gpu.headroom) or sizes.requests < load.concurrency + 1:
        return Verdict.TIGHT, Reason.TIGHT.about(**facts)
    return Verdict.FITS, Reason.FITS.about(**facts)


def _gib(size: int) -> str:
    return f"{size / GIB:.2f}"
