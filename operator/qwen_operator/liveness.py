"""When the operator is alive and when it is ready, judged from its parts.

Why it exists: a process that runs is not an operator that works: a silent watch, a hung loop or a model that waits for
ever must end it. It must never take a standby, which waits for the Lease with warm caches, for a broken operator.
"""

import asyncio
from collections.abc import Callable, Sequence

from qwen_operator.informer import Informer
from qwen_operator.observe import Complaint, LoopLag
from qwen_operator.workqueue import WorkQueue

SILENCE_LIMIT = 110.0
"""Seconds without a sound, bookmarks included, on any watch before liveness fails: a dead one is noticed by itself and
begun anew within 77 (`cluster.SILENCE`, and kopf's own 70), and the process is to be known as deaf within 120."""
WAIT_LIMIT = 600.0
"""Seconds that the oldest model may wait for a worker before liveness fails."""
GRACE = 60.0
"""Seconds that kopf has after the start until its watch must run."""


class Start:
    """When the loops were started. Before that an operator waits for its API server, and no restart would mend that."""

    def __init__(self) -> None:
        self._at: float | None = None

    def mark(self) -> None:
        """The loops are started now."""
        self._at = _now()

    def seconds_since(self, moment: float = float("-inf")) -> float:
        """Seconds since the start or since a later moment; none before the start."""
        return 0.0 if self._at is None else _now() - max(self._at, moment)


def alive(
    start: Start,
    informers: Sequence[Informer],
    queue: WorkQueue,
    lag: LoopLag,
    models_are_watched: Callable[[], bool],
    silence_of_models: Callable[[], float],
) -> list[Complaint]:
    """What liveness is made of: the loop turns, every watch hears, QwenModels are watched, nobody waits for ever."""

    def deaf() -> str | None:
        if start.seconds_since() < GRACE or models_are_watched():
            return None
        return "no task watches QwenModels"

    def silent() -> str | None:
        quiet = min(start.seconds_since(), silence_of_models())
        return f"nothing was heard of qwenmodels for {quiet:.0f} s" if quiet > SILENCE_LIMIT else None

    def stuck() -> str | None:
        wait = queue.oldest_wait() if queue.opened else 0.0
        return f"a model has waited for {wait:.0f} s" if wait > WAIT_LIMIT else None

    return [lag.complaint, *(_silence(start, informer) for informer in informers), deaf, silent, stuck]


def ready(informers: Sequence[Informer]) -> list[Complaint]:
    """What readiness is made of: every cache has listed once."""
    return [_unsettled(informer) for informer in informers]


def _silence(start: Start, informer: Informer) -> Complaint:
    def silent() -> str | None:
        quiet = start.seconds_since(informer.heard_at)
        return f"nothing was heard of {informer.title} for {quiet:.0f} s" if quiet > SILENCE_LIMIT else None

    return silent


def _unsettled(informer: Informer) -> Complaint:
    def unsettled() -> str | None:
        return None if informer.settled.is_set() else f"{informer.title} are not listed yet"

    return unsettled


def _now() -> float:
    return asyncio.get_running_loop().time()
