"""The seam between work and whoever shows it: steps with a state, a detail and an elapsed time.

A `with step("Node", report)` stands around each piece; a `Report` is told of every change and draws it as it likes.
`hack.demo` passes its own report to show the cluster's steps among its own. Nothing here writes to a terminal.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum


class State(Enum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One piece of work as it stands now; `elapsed` is in seconds. Later reports of a step bear the same title."""

    title: str
    state: State
    detail: str
    elapsed: float


Report = Callable[[Step], None]


def silence(_step: Step) -> None:
    """A report for callers who want no news."""


class Running:
    """The handle of a step under way: tells what it is doing right now."""

    def __init__(self, title: str, report: Report) -> None:
        self._report = report
        self._begun = time.monotonic()
        self._step = Step(title, State.RUNNING, "", 0.0)
        report(self._step)

    def detail(self, text: str) -> None:
        """Say what the step is at, or, as its last words, what came of it."""
        self._tell(State.RUNNING, text)

    def finish(self, state: State) -> None:
        """End the step with what was last said about it."""
        self._tell(state, self._step.detail)

    def _tell(self, state: State, detail: str) -> None:
        self._step = replace(self._step, state=state, detail=detail, elapsed=time.monotonic() - self._begun)
        self._report(self._step)


@contextmanager
def step(title: str, report: Report) -> Iterator[Running]:
    """Report a step around a block: done when it ends, failed when it raises."""
    running = Running(title, report)
    try:
        yield running
    except BaseException:
        running.finish(State.FAILED)
        raise
    running.finish(State.DONE)
