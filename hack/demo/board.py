"""The steps as a person sees them: a live table on a terminal, plain lines everywhere else.

Both are a `Report` of hack.cluster's seam, so that the steps of every part stand in one table in the order they begin.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hack.cluster.steps import Report, State, Step

QUIET_SECONDS = 15.0  # at most one plain line of news in this time, so that a log stays readable
MARKS = {State.RUNNING: ("•", "yellow"), State.DONE: ("✓", "green"), State.FAILED: ("✗", "red")}


def duration(seconds: float) -> str:
    """Seconds as a person reads them: `0.4 s`, `42 s`, `3 min 07 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


class Ledger:
    """Every step with what was last said of it, and the moment it was first heard of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: dict[str, Step] = {}
        self._heard: dict[str, float] = {}

    def __call__(self, step: Step) -> None:
        """Take a report in."""
        self._heard.setdefault(step.title, self._clock() - step.elapsed)
        self._steps[step.title] = step

    def steps(self) -> tuple[Step, ...]:
        """In the order they began."""
        return tuple(self._steps.values())

    def elapsed(self, step: Step) -> float:
        """Seconds that a step took, or has taken until now."""
        return self._clock() - self._heard[step.title] if step.state is State.RUNNING else step.elapsed


def table(ledger: Ledger) -> Table:
    """All steps, one a line."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=1)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, justify="right", min_width=11)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for step in ledger.steps():
        mark, style = MARKS[step.state]
        grid.add_row(Text(mark, style), step.title, duration(ledger.elapsed(step)), Text(step.detail))
    return grid


@contextmanager
def live(ledger: Ledger, console: Console) -> Iterator[Report]:
    """A table drawn anew four times a second while the block runs."""
    with Live(console=console, get_renderable=lambda: table(ledger), refresh_per_second=4):
        yield ledger


class Lines:
    """A line when a step begins, thinned-out news, and a line when it ends."""

    def __init__(
        self, ledger: Ledger, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._write = write
        self._clock = clock
        self._spoke: dict[str, float] = {}
        self._news: dict[str, str] = {}
        self._said: dict[str, str] = {}

    def __call__(self, step: Step) -> None:
        """Take a report in, and print it if it is worth a line."""
        self._ledger(step)
        if step.state is not State.RUNNING:
            self._write(
                f"{MARKS[step.state][0]} {step.title}: {step.detail or step.state.value} ({duration(step.elapsed)})"
            )
        elif step.title not in self._spoke:
            self._say(step.title, f"• {step.title} …")
        elif self._clock() - self._spoke[step.title] >= QUIET_SECONDS:
            self._tell_news(step.title)
        self._news[step.title] = step.detail

    def _tell_news(self, title: str) -> None:
        """Print what was said last, unless it was printed before; the newest words may be the step's result."""
        news = self._news[title]
        if news and news != self._said.get(title):
            self._said[title] = news
            self._say(title, f"    {title}: {news}")

    def _say(self, title: str, line: str) -> None:
        self._spoke[title] = self._clock()
        self._write(line)


@contextmanager
def shown(ledger: Ledger) -> Iterator[Report]:
    """The table where a person watches, lines where nobody does; yields what the work reports to."""
    console = Console()
    if sys.stdout.isatty() and console.is_terminal:
        with live(ledger, console) as report:
            yield report
    else:
        yield Lines(ledger, lambda line: print(line, flush=True))
