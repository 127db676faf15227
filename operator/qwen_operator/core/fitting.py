"""A model's spec and its facts, brought before the fit check: what is asked, of which GPUs, and the answer.

Why it exists: `fit` knows numbers and no QwenModel. What is missing is named here, in the words of the spec, and makes
the verdict Unknown, which stops nothing. It must never look at what lives.
"""

from dataclasses import dataclass

from qwen_operator.core.fit import choice, products
from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import Facts, reported
from qwen_operator.core.fit.layout import Layout, Wish
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.verdict import Gpu, Judgement, Verdict
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.quantity import whole
from qwen_operator.core.resource.fit_report import Fit, FitLayout
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
    best: Judgement | None = None
    """Of the layout that is chosen, or wished for."""
    needed: int | None = None
    """The fewest GPUs of a replica that will do, if that is known."""

    @property
    def layout(self) -> Layout | None:
        """What to run, if enough is known to choose."""
        return self.best.layout if self.best else None


def gpus(spec: Spec) -> int:
    """GPUs of one replica: as asked, else as many as the layout asked for has, else one."""
    asked = spec.parallelism
    return spec.resources.gpus or (asked.tensor or 1) * (asked.pipeline or 1)


def fitting(spec: Spec, told: str | None) -> Fitting:
    """Whether the model fits.

    :param told: what the weights Job said of the model (`fit.facts`), or None if nobody has.
    """
    missing = _not_judged(spec)
    if missing:
        return Fitting(verdict=Verdict.UNKNOWN, problem=missing)
    if told is None:
        return Fitting(verdict=Verdict.UNKNOWN, problem=Reason.MODEL_FACTS_UNKNOWN.about())
    try:
        facts = reported(told)
    except Unsupported as why:
        return Fitting(verdict=Verdict.UNKNOWN, problem=Reason.MODEL_NOT_ESTIMATED.about(why=f"{why}."))
    memory = _memory(spec)
    if memory is None:
        return Fitting(verdict=Verdict.UNKNOWN, problem=Reason.GPU_MEMORY_UNKNOWN.about(why=_unknown_gpu(spec)))
    return _judged(spec, _load(spec, facts), _gpu(spec, memory))


def report(found: Fitting) -> Fit:
    """The answer as `status.fit`."""
    if found.best is None or found.best.sizes is None:
        return Fit(verdict=found.verdict.value, layout=_layout(found.best), gpus_needed=found.needed)
    sizes = found.best.sizes
    return Fit(
        verdict=found.verdict.value,
        layout=_layout(found.best),
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


def _layout(best: Judgement | None) -> FitLayout | None:
    if best is None:
        return None
    way = best.layout
    return FitLayout(
        tensor=way.tensor, pipeline=way.pipeline, data=way.data, expert="Enabled" if way.expert else "Disabled"
    )


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


def _memory(spec: Spec) -> int | None:
    """Bytes of one GPU, as said or as the product has."""
    asked = spec.resources
    if asked.gpu_memory is not None:
        return whole(asked.gpu_memory)
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


def _gpu(spec: Spec, memory: int) -> Gpu:
    return Gpu(
        memory=memory,
        utilization=spec.server.gpu_memory_utilization or UTILIZATION,
        headroom=float(spec.validation.headroom.removesuffix("%")) / 100,
    )


def _judged(spec: Spec, load: Load, gpu: Gpu) -> Fitting:
    asked, count = spec.parallelism, gpus(spec)
    wish = Wish(tensor=asked.tensor, pipeline=asked.pipeline, expert=EXPERT[asked.expert])
    best = choice.chosen(load, gpu, count, wish)
    if best is None:
        return Fitting(verdict=Verdict.DOES_NOT_FIT, problem=Reason.LAYOUT_IMPOSSIBLE.about(gpus=count))
    return Fitting(
        verdict=best.verdict,
        problem=best.problem,
        best=best,
        needed=choice.gpus_needed(load, gpu, wish),
    )
