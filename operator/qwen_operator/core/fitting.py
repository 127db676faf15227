"""A model's spec and its facts, brought before the fit check: what is asked, of which GPUs, and the answer.

Why it exists: `fit` knows numbers and no QwenModel. What is missing is named here, in the words of the spec, and makes
the verdict Unknown, which stops nothing. It must never choose another layout while the one that runs will do.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from qwen_operator.core.fit import choice, measured, products
from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import Facts, reported
from qwen_operator.core.fit.layout import Layout, Wish
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.nodes import PRODUCT, Labels, memory
from qwen_operator.core.fit.verdict import Gpu, Judgement, Verdict
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.progress import Figures
from qwen_operator.core.quantity import whole
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.fit_report import Fit, FitLayout, Measured
from qwen_operator.core.resource.spec import Spec

LONGEST_CONTEXT = 200_000
"""Tokens of prompt and completion together that the server serves at most."""
UTILIZATION = 0.9
"""Of a GPU's memory, where server.gpuMemoryUtilization is not given; the server's default."""
EXPERT = {"Auto": None, "Enabled": True, "Disabled": False}
WHOLE_GPU = "nvidia.com/gpu"
"""Resource name whose GPUs are those of the node label nvidia.com/gpu.product, undivided."""


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """The answer for one model."""

    verdict: Verdict
    problem: Problem
    layout: Layout | None = None
    """What to run; None if nothing was ever known that would choose it."""
    best: Judgement | None = None
    """Of that layout, if it was judged."""
    needed: int | None = None
    """The fewest GPUs of a replica that will do, if that is known."""


def gpus(spec: Spec) -> int:
    """GPUs of one replica: as asked, else as many as the layout asked for has, else one."""
    asked = spec.parallelism
    return spec.resources.gpus or (asked.tensor or 1) * (asked.pipeline or 1)


def fitting(model: QwenModel, told: str | None, nodes: Iterable[Labels] = ()) -> Fitting:
    """Whether the model fits.

    A layout that the status tells of stays as long as it is allowed and will do, since another one restarts every
    replica: a missing number, or a better one of another release, is no reason for that.

    :param told: what the weights Job said of the model (`fit.facts`), or None if nobody has.
    :param nodes: labels of the cluster's nodes with GPUs, as far as they are known.
    """
    spec, kept = model.spec, _kept(model)
    missing = _not_judged(spec)
    if missing:
        return Fitting(verdict=Verdict.UNKNOWN, problem=missing, layout=kept)
    if told is None:
        return Fitting(verdict=Verdict.UNKNOWN, problem=Reason.MODEL_FACTS_UNKNOWN.about(), layout=kept)
    try:
        facts = reported(told)
    except Unsupported as why:
        unsupported = Reason.MODEL_NOT_ESTIMATED.about(why=f"{why}.")
        return Fitting(verdict=Verdict.UNKNOWN, problem=unsupported, layout=kept)
    size = _memory(spec, nodes)
    if size is None:
        unknown = Reason.GPU_MEMORY_UNKNOWN.about(why=_unknown_gpu(spec))
        return Fitting(verdict=Verdict.UNKNOWN, problem=unknown, layout=kept)
    gpu = _gpu(spec, size)
    return _judged(spec, _load(spec, facts), gpu, kept, _seen(model, gpu))


def came_to(
    model: QwenModel, layout: Layout | None, told: str | None, nodes: Iterable[Labels], figures: Figures
) -> Measured:
    """What an engine of the present spec said of itself, as `status.measured`.

    Its overhead is left out where the rest is not known, or where it would be none: then the weights were estimated too
    high, and what follows from it would be wrong.

    :param layout: the one that was chosen.
    """
    seconds = None if figures.load_seconds is None else int(figures.load_seconds)
    plain = Measured(cache_tokens=figures.cache_tokens, load_seconds=seconds)
    if layout is None or told is None or figures.cache_tokens is None or _not_judged(model.spec):
        return plain
    size = _memory(model.spec, nodes)
    try:
        load = _load(model.spec, reported(told))
    except Unsupported:
        return plain
    if size is None:
        return plain
    gpu = _gpu(model.spec, size)
    seen = measured.overhead(load, gpu, layout, measured.Measured(cache_tokens=figures.cache_tokens))
    return msgspec.structs.replace(
        plain, layout=_shown(layout), overhead=seen or None, holds_for=_holds_for(model.spec, gpu)
    )


def _seen(model: QwenModel, gpu: Gpu) -> Mapping[Layout, int]:
    """The overhead that the status tells of, if it was that of such an engine."""
    try:
        before = msgspec.convert(model.status.get("measured"), Measured)
    except msgspec.ValidationError:
        return choice.NOTHING
    if before.overhead is None or before.layout is None or before.holds_for != _holds_for(model.spec, gpu):
        return choice.NOTHING
    return {_read(before.layout): before.overhead}


def _holds_for(spec: Spec, gpu: Gpu) -> str:
    """What an engine's overhead depends on, besides its layout."""
    asked, flags = spec.model, sorted(spec.server.args)
    text = repr((asked.uri, asked.dtype, asked.kv_cache_dtype, spec.server.max_num_seqs, flags, gpu.memory))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def report(found: Fitting) -> Fit:
    """The answer as `status.fit`."""
    layout = _shown(found.layout) if found.layout else None
    if found.best is None or found.best.sizes is None:
        return Fit(verdict=found.verdict.value, layout=layout, gpus_needed=found.needed)
    sizes = found.best.sizes
    return Fit(
        verdict=found.verdict.value,
        layout=layout,
        need=sizes.need,
        have=sizes.usable,
        weights=sizes.weights,
        overhead=sizes.overhead,
        kv_cache=sizes.kv_cache,
        kv_per_token=sizes.kv_per_token,
        concurrent_requests=int(sizes.requests),
        largest_context=sizes.largest_context,
        gpus_needed=found.needed,
    )


def _shown(way: Layout) -> FitLayout:
    expert: Literal["Enabled", "Disabled"] = "Enabled" if way.expert else "Disabled"
    return FitLayout(tensor=way.tensor, pipeline=way.pipeline, data=way.data, expert=expert)


def _read(told: FitLayout) -> Layout:
    return Layout(told.tensor, told.pipeline, told.data, expert=told.expert == "Enabled")


def _kept(model: QwenModel) -> Layout | None:
    """The layout that the status tells of, if it still is as asked."""
    told = model.status.get("fit")
    try:
        kept = msgspec.convert(told["layout"] if isinstance(told, dict) else None, FitLayout)
    except (KeyError, msgspec.ValidationError):
        return None
    way = _read(kept)
    return way if way.gpus == gpus(model.spec) and _wish(model.spec).allows(way) else None


def _wish(spec: Spec) -> Wish:
    asked = spec.parallelism
    return Wish(tensor=asked.tensor, pipeline=asked.pipeline, data=1, expert=EXPERT[asked.expert])


def gate(spec: Spec, found: Fitting) -> Problem | None:
    """Why no replica may start, or None."""
    return found.problem if spec.validation.fit == "Enforce" and found.verdict is Verdict.DOES_NOT_FIT else None


def _not_judged(spec: Spec) -> Problem | None:
    if spec.validation.fit == "Off":
        return Reason.NOT_JUDGED.about(why="spec.validation.fit is Off.")
    if spec.device == "CPU":
        return Reason.NOT_JUDGED.about(why="it is about GPUs, and spec.device is CPU.")
    if any(argument.startswith("--quantization") for argument in spec.server.args):
        return Reason.NOT_JUDGED.about(why="--quantization in server.args changes the weights while they are loaded.")
    return None


def _memory(spec: Spec, nodes: Iterable[Labels]) -> int | None:
    """Bytes of one GPU: as said in the spec, else as the nodes' labels say, else as the product has."""
    asked = spec.resources
    if asked.gpu_memory is not None:
        return whole(asked.gpu_memory)
    product = {PRODUCT: asked.gpu_product} if asked.gpu_product else {}
    wanted = {**spec.scheduling.node_selector, **product}
    if told := memory(nodes, asked.gpu_resource_name or WHOLE_GPU, wanted):
        return told
    if asked.gpu_product is None or asked.gpu_resource_name not in (None, WHOLE_GPU):
        return None
    return products.memory_of(asked.gpu_product)


def _unknown_gpu(spec: Spec) -> str:
    asked = spec.resources
    if asked.gpu_resource_name not in (None, WHOLE_GPU):
        return f"{asked.gpu_resource_name} may be a part of a GPU."
    return f"there is no {asked.gpu_product} in the list." if asked.gpu_product else "any product will do."


def _load(spec: Spec, facts: Facts) -> Load:
    asked, limit = spec.model, facts.architecture.context_limit
    return Load(
        architecture=facts.architecture,
        weights=facts.weights,
        context=min(LONGEST_CONTEXT, asked.context_length or limit),
        dtype=asked.dtype,
        cache_dtype=asked.kv_cache_dtype,
    )


def _gpu(spec: Spec, size: int) -> Gpu:
    return Gpu(
        memory=size,
        utilization=spec.server.gpu_memory_utilization or UTILIZATION,
        headroom=float(spec.validation.headroom.removesuffix("%")) / 100,
    )


def _judged(spec: Spec, load: Load, gpu: Gpu, kept: Layout | None, seen: Mapping[Layout, int]) -> Fitting:
    count, wish = gpus(spec), _wish(spec)
    best = choice.chosen(load, gpu, count, wish, kept=kept, seen=seen)
    if best is None:
        return Fitting(verdict=Verdict.DOES_NOT_FIT, problem=Reason.LAYOUT_IMPOSSIBLE.about(gpus=count))
    return Fitting(
        verdict=best.verdict,
        problem=best.problem,
        layout=best.layout,
        best=best,
        needed=choice.gpus_needed(load, gpu, wish),
    )
