"""What `kubectl qwen fit` finds out, before it is shown in one form or another.

Why it exists: the table and the JSON document tell the same. It must never read a file or a flag.
"""

from dataclasses import dataclass

from qwen_operator.core.fit import choice
from qwen_operator.core.fit.facts import Facts
from qwen_operator.core.fit.layout import Wish
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.verdict import Gpu, Judgement


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about a model."""

    model: str
    """As it was named."""
    facts: Facts
    load: Load
    gpu: Gpu
    gpu_name: str
    gpus: int | None
    """Of one replica; None asks for the fewest that will do."""
    wish: Wish


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Everything that is shown."""

    asked: Question
    gpus: int
    needed: int | None
    """The fewest GPUs that will do; None if not even the most will."""
    best: Judgement
    judgements: list[Judgement]
    """Of every layout worth showing, the best first."""


def answer(asked: Question) -> Answer | None:
    """The answer, or None if no layout of so many GPUs is as wished."""
    load, gpu, wish = asked.load, asked.gpu, asked.wish
    needed = choice.gpus_needed(load, gpu, wish)
    gpus = asked.gpus or needed or choice.COUNTS[-1]
    best = choice.chosen(load, gpu, gpus, wish)
    if best is None:
        return None
    found = [one for one in choice.judgements(load, gpu, gpus, wish) if _worth_showing(one, wish)]
    return Answer(asked=asked, gpus=gpus, needed=needed, best=best, judgements=found)


def _worth_showing(one: Judgement, wish: Wish) -> bool:
    """Stages and ranks at once are for machines by the dozen, and shown only if one of them is wished for."""
    both = one.layout.pipeline > 1 and one.layout.data > 1
    return not both or bool(wish.pipeline or wish.data)
