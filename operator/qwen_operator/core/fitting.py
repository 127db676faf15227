"""A model's spec and its facts, brought before the fit check: what is asked, of which GPUs, and the answer.

Why it exists: plan, checks and status ask for one answer. What is missing makes the verdict Unknown, which stops
nothing, and what replicas have proven is not estimated away. It must never choose another layout while the one that
runs will do.
"""

from dataclasses import dataclass, replace

from qwen_operator.core import experience, layouts, question
from qwen_operator.core.fit import choice
from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import reported
from qwen_operator.core.fit.layout import Layout, Wish
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.nodes import Labels
from qwen_operator.core.fit.verdict import Gpu, Judgement, Verdict
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.fit_report import Fit
from qwen_operator.core.resource.spec import Spec


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
    proven: bool = False
    """Whether replicas have come up as they are asked for: what is estimated then keeps none of them from starting."""


def fitting(model: QwenModel, told: str | None, nodes: tuple[Labels, ...] = (), runs: Layout | None = None) -> Fitting:
    """Whether the model fits.

    A layout that the status tells of, or that replicas have, stays as long as it is allowed and will do, since another
    one restarts every replica: a missing number, or a better one of another release, is no reason for that.

    :param told: what a Job said of the model (`fit.facts`), or None if none has.
    :param nodes: labels of the cluster's nodes with GPUs, as far as they are known.
    :param runs: the layout that replicas have, if there are any.
    """
    return _answer(model, told, nodes, layouts.kept(model, runs), question.wish(model.spec))


def _answer(model: QwenModel, told: str | None, nodes: tuple[Labels, ...], kept: Layout | None, wish: Wish) -> Fitting:
    spec = model.spec
    gpu = question.gpu(spec, nodes)
    if isinstance(gpu, Problem):
        return _unknown(gpu, kept)
    if told is None:
        return _unknown(Reason.MODEL_FACTS_UNKNOWN.about(), kept)
    try:
        load = question.load(spec, reported(told))
    except Unsupported as why:
        return _unknown(Reason.MODEL_NOT_ESTIMATED.about(why=f"{why}."), kept)
    best = choice.chosen(load, gpu, question.gpus(spec), wish, kept=kept, seen=experience.overhead(model, gpu))
    return _judged(spec, load, gpu, best)


def proven(model: QwenModel, told: str | None, nodes: tuple[Labels, ...], runs: Layout) -> Fitting:
    """What the numbers say of a layout with which replicas have come up as they are asked for; else as `fitting`."""
    only = Wish(tensor=runs.tensor, pipeline=runs.pipeline, data=runs.data, expert=runs.expert)
    return replace(_answer(model, told, nodes, runs, only), proven=True)


def gate(spec: Spec, found: Fitting) -> Problem | None:
    """Why no replica may start, or None."""
    refused = found.verdict is Verdict.DOES_NOT_FIT and not found.proven
    return found.problem if spec.validation.fit == "Enforce" and refused else None


def report(found: Fitting) -> Fit:
    """The answer as `status.fit`."""
    layout = layouts.shown(found.layout) if found.layout else None
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


def _unknown(why: Problem, kept: Layout | None) -> Fitting:
    return Fitting(verdict=Verdict.UNKNOWN, problem=why, layout=kept)


def _judged(spec: Spec, load: Load, gpu: Gpu, best: Judgement | None) -> Fitting:
    if best is None:
        return Fitting(verdict=Verdict.DOES_NOT_FIT, problem=Reason.LAYOUT_IMPOSSIBLE.about(gpus=question.gpus(spec)))
    return Fitting(
        verdict=best.verdict,
        problem=best.problem,
        layout=best.layout,
        best=best,
        needed=choice.gpus_needed(load, gpu, question.wish(spec)),
    )
