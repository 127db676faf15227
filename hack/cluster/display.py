"""Shows steps to a person: a live table on a terminal, one line a finished step anywhere else."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hack.cluster.steps import State, Step

MARKS = {State.DONE: Text("✓", style="green"), State.FAILED: Text("✗", style="red")}


class Display:
    """A context; its `report` is what `up` and `down` ask for."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps: dict[str, Step] = {}
        self._begun: dict[str, float] = {}
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def report(self, step: Step) -> None:
        """Show a step as it stands now."""
        self._begun.setdefault(step.title, time.monotonic())
        self._steps[step.title] = step
        if not self._console.is_terminal and step.state is not State.RUNNING:
            mark = MARKS[step.state].plain
            self._console.print(
                f"{mark} {step.title:<16} {step.elapsed:6.1f} s  {step.detail}", soft_wrap=True, highlight=False
            )

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True, style="cyan")
        table.add_column(style="dim", overflow="ellipsis", no_wrap=True)
        for step in self._steps.values():
            running = step.state is State.RUNNING
            elapsed = time.monotonic() - self._begun[step.title] if running else step.elapsed
            table.add_row(self._spinner if running else MARKS[step.state], step.title, f"{elapsed:.1f} s", step.detail)
        return table
