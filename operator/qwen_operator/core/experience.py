"""What an engine of a model was seen to use: written into the status, and read back for the next estimate.

Why it exists: two constants stand for what an engine holds beside weights and KV cache, and one start knows better. It
must never correct the estimate of an engine that would be laid out, flagged or fed otherwise.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from qwen_operator.core import question
from qwen_operator.core.fit import choice, measured
from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import reported
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.fit.nodes import Labels
from qwen_operator.core.fit.verdict import Gpu
from qwen_operator.core.layouts import layout_of, shown
from qwen_operator.core.problems import Problem
from qwen_operator.core.progress import Figures
from qwen_operator.core.remembered import remembered
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.fit_report import Measured
from qwen_operator.core.resource.spec import Spec


def came_to(
    model: QwenModel, layout: Layout | None, told: str | None, nodes: tuple[Labels, ...], figures: Figures
) -> Measured:
    """What an engine of the present spec said of itself, as `status.measured`.

    Its overhead is left out where the rest is not known, or where it would be none: then the weights were estimated too
    high, and what follows from it would be wrong.

    :param layout: the one that was chosen.
    :param told: what a Job said of the model (`fit.facts`), or None if none has.
    """
    seconds = None if figures.load_seconds is None else int(figures.load_seconds)
    plain = Measured(cache_tokens=figures.cache_tokens, load_seconds=seconds)
    gpu = question.gpu(model.spec, nodes)
    if layout is None or told is None or figures.cache_tokens is None or isinstance(gpu, Problem):
        return plain
    try:
        load = question.load(model.spec, reported(told))
    except Unsupported:
        return plain
    seen = measured.overhead(load, gpu, layout, measured.Measured(cache_tokens=figures.cache_tokens))
    return msgspec.structs.replace(
        plain, layout=shown(layout), overhead=seen or None, holds_for=_holds_for(model.spec, gpu)
    )


def overhead(model: QwenModel, gpu: Gpu) -> Mapping[Layout, int]:
    """Bytes of one GPU by layout, as the status tells of such an engine; empty if it does not."""
    before = remembered(model.status, Measured, "measured")
    if before is None or before.overhead is None or before.layout is None:
        return choice.NOTHING
    return (
        {layout_of(before.layout): before.overhead}
        if before.holds_for == _holds_for(model.spec, gpu)
        else choice.NOTHING
    )


def _holds_for(spec: Spec, gpu: Gpu) -> str:
    """What an engine's overhead depends on, besides its layout.

    The server's image is left out on purpose. Another release of it may hold a little more or less, which headroom is
    for, while the constants that would count instead are those of no release; and a model that runs with a context that
    only its measured figure allows must not be held back by the next image.
    """
    asked, flags = spec.model, sorted(spec.server.args)
    text = repr((asked.uri, asked.dtype, asked.kv_cache_dtype, spec.server.max_num_seqs, flags, gpu.memory))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
