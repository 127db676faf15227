"""How the GPUs of one replica may share a model, and which ways the model's own numbers rule out.

Why it exists: an engine checks divisibility one layer at a time, minutes into its start; all of it is known beforehand.
It must never weigh memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, lcm

from qwen_operator.core.fit.architecture import Architecture
from qwen_operator.core.problems import Problem, Reason


@dataclass(frozen=True)
class Layout:
    """Sizes of the four kinds of parallelism."""

    tensor: int = 1
    """GPUs that split each layer."""
    pipeline: int = 1
    """Stages that the layers are divided into."""
    data: int = 1
    """Ranks that each take their own requests, with whole attention and, together, one set of experts."""
    expert: bool = False
    """Whether each GPU holds whole experts, instead of a slice of every one."""

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.tensor * self.pipeline * self.data

    @property
    def expert_ways(self) -> int:
        """GPUs that share the experts of a layer."""
        return self.tensor * self.data

    def __str__(self) -> str:
        """As people write it, such as TP8+EP."""
        sizes = (("TP", self.tensor), ("PP", self.pipeline), ("DP", self.data))
        parts = [f"{name}{size}" for name, size in sizes if size > 1]
        return "+".join([*(parts or ["TP1"]), *(["EP"] if self.expert else [])])


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user says about the layout; None leaves it open."""

    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: bool | None = None

    def allows(self, layout: Layout) -> bool:
        """Whether a layout is as wished."""
        pairs = ((self.tensor, layout.tensor), (self.pipeline, layout.pipeline), (self.data, layout.data))
        return all(wish in (None, have) for wish, have in (*pairs, (self.expert, layout.expert)))


def layouts(gpus: int, *, experts: bool) -> Iterator[Layout]:
    """Every way to share so many GPUs, the one with the least waiting between GPUs first.

    Tensor parallelism comes before pipeline stages, which idle while they wait for one another, and both before data
    parallelism, whose ranks each need room for a whole request. Slices of experts come before whole ones, whose load
    depends on what the tokens choose.
    """
    for data in _divisors(gpus):
        for pipeline in _divisors(gpus // data):
            tensor = gpus // data // pipeline
            yield Layout(tensor, pipeline, data)
            if experts and tensor * data > 1:
                yield Layout(tensor, pipeline, data, expert=True)


def obstacle(of: Architecture, layout: Layout) -> Problem | None:
    """Why the model's numbers rule a layout out, or None."""
    judgements = (_heads, _stages, _experts, _blocks)
    return next((problem for judge in judgements if (problem := judge(of, layout))), None)


def _heads(of: Architecture, layout: Layout) -> Problem | None:
    tensor, kv_heads = layout.tensor, of.kv_heads
    if of.heads % tensor:
        return Reason.TENSOR_SIZE_NOT_DIVISIBLE.about(why=f"{of.heads} heads, {tensor} GPUs.")
    if kv_heads % tensor and tensor % kv_heads:
        return Reason.TENSOR_SIZE_NOT_DIVISIBLE.about(why=f"{kv_heads} heads of keys and values, {tensor} GPUs.")
    return None


def _stages(of: Architecture, layout: Layout) -> Problem | None:
    if layout.pipeline <= of.layers:
        return None
    return Reason.PIPELINE_SIZE_INVALID.about(pipeline=layout.pipeline, layers=of.layers)


def _experts(of: Architecture, layout: Layout) -> Problem | None:
    ways = layout.expert_ways
    if layout.expert and (not of.experts or of.experts % ways):
        return Reason.EXPERT_SPLIT_INVALID.about(experts=of.experts, ways=ways)
    return None


def _blocks(of: Architecture, layout: Layout) -> Problem | None:
    """Every dimension that is cut must be cut between two blocks.

    vLLM 0.32 can, with one of its kernels, refine the scales of experts to smaller blocks. Whole experts on each GPU
    need no such thing, so a cut through a block stays refused (`validate_fp8_block_shape_moe`).
    """
    if of.blocks is None:
        return None
    block = lcm(of.blocks.output, of.blocks.input)
    for what, size, ways in _cuts(of, layout):
        if ways > 1 and size % (ways * block):
            why = f"the {what} of {size} over {ways} GPUs is {size / ways:g}, not a multiple of {block}."
            return Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE.about(why=why)
    return None


def _cuts(of: Architecture, layout: Layout) -> Iterator[tuple[str, int, int]]:
    """What is cut, its size, and into how many parts."""
    yield "attention heads' width", of.heads * of.head_dim, layout.tensor
    yield "dense MLP width", of.intermediate, layout.tensor
    yield "shared expert's width", of.shared_intermediate, layout.tensor
    yield "expert width", of.expert_intermediate, 1 if layout.expert else layout.expert_ways


def layers_of_a_stage(layers: int, layout: Layout) -> int:
    """Layers of the fullest pipeline stage."""
    return ceil(layers / layout.pipeline)


def _divisors(number: int) -> Iterator[int]:
    return (candidate for candidate in range(1, number + 1) if number % candidate == 0)
