"""The layout for a number of GPUs, and the number of GPUs for a model.

Why it exists: who leaves the layout open gets the one that waits least between GPUs among those that fit best. It must
never override what a user has said.
"""

from collections.abc import Mapping
from dataclasses import replace

from qwen_operator.core.fit.layout import Layout, Wish, layouts
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.verdict import Gpu, Judgement, Verdict, judgement

COUNTS = (1, 2, 4, 8, 16, 32, 64)
"""GPUs that a replica may be given when asked how many it needs: machines have powers of two."""

ANY = Wish()
"""Every layout will do."""

NOTHING: Mapping[Layout, int] = {}
"""No engine has been measured."""

_RANK = {Verdict.FITS: 0, Verdict.TIGHT: 1, Verdict.DOES_NOT_FIT: 2, Verdict.UNKNOWN: 3}


def judgements(
    load: Load, gpu: Gpu, gpus: int, wish: Wish = ANY, seen: Mapping[Layout, int] = NOTHING
) -> list[Judgement]:
    """Every layout of so many GPUs that is as wished, the best first; ties in the order of `layout.layouts`.

    What is too large comes before what is ruled out, since more or larger GPUs would mend it.

    :param seen: overhead in bytes by layout, where it has been measured.
    """
    allowed = (way for way in layouts(gpus, experts=load.architecture.experts > 0) if wish.allows(way))
    judged = (judgement(load, gpu, way, overhead=seen.get(way)) for way in allowed)
    return sorted(judged, key=lambda one: (_RANK[one.verdict], one.sizes is None))


def chosen(
    load: Load,
    gpu: Gpu,
    gpus: int,
    wish: Wish = ANY,
    *,
    kept: Layout | None = None,
    seen: Mapping[Layout, int] = NOTHING,
) -> Judgement | None:
    """The best layout, with data parallelism only if it is wished for; None if no layout of so many GPUs is as wished.

    Ranks of data parallelism share no KV cache, so it is a choice about load and never one about memory.

    :param kept: a layout that is preferred to better ones, if it is among those and will do.
    :param seen: as `judgements` takes it.
    """
    found = judgements(load, gpu, gpus, wish if wish.data else replace(wish, data=1), seen)
    preferred = (one for one in found if one.layout == kept and _will_do(one))
    return next(preferred, found[0] if found else None)


def gpus_needed(load: Load, gpu: Gpu, wish: Wish = ANY) -> int | None:
    """The least number of GPUs of one replica that will do, out of `COUNTS`; None if not even the most will."""
    return next((gpus for gpus in COUNTS if _will_do(chosen(load, gpu, gpus, wish))), None)


def _will_do(best: Judgement | None) -> bool:
    return best is not None and best.verdict in (Verdict.FITS, Verdict.TIGHT)
