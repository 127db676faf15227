"""What was measured, beside what it may be at most: printed after every run, written to docs/figures.md when asked."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.steps import Step
from hack.demo.board import duration
from hack.demo.machine import ROOT

PAGE = ROOT / "docs/figures.md"
LAST_RUN = "## The last recorded run of the demo, step by step"
HEADER = "| what | at most | measured |\n|---|---|---|\n"


@dataclass(frozen=True)
class Limit:
    """One line of the table: a name, the limit, and its unit (`s` or `MB`)."""

    what: str
    at_most: float
    unit: str = "s"

    def shown(self, value: float) -> str:
        """A value in this line's unit, as a person reads it."""
        return duration(value) if self.unit == "s" else f"{value:.0f} {self.unit}"


FROM_NOTHING = Limit("`make demo` from nothing", 20 * 60)
AGAIN = Limit("`make demo` again", 3 * 60)
CLUSTER_UP = Limit("cluster up, binaries cached, to node Ready", 15)
READY = Limit("QwenModel applied → Ready, image and weights on the node", 60)
OPERATOR_MEMORY = Limit("operator memory after the demo (resident set)", 70, "MB")
TEST = Limit("`make test` on a bare machine", 15 * 60)
LIMITS = (FROM_NOTHING, AGAIN, CLUSTER_UP, READY, OPERATOR_MEMORY, TEST)

Measured = Mapping[Limit, float]


def overall(total: float, *, found: Collection[str], complete: bool) -> dict[Limit, float]:
    """The whole run's time, if it found nothing or everything; a run that found half proves neither."""
    if not found:
        return {FROM_NOTHING: total}
    return {AGAIN: total} if complete else {}


def cluster_up(steps: Iterable[Step]) -> dict[Limit, float]:
    """From the look at the machine to node Ready, the building of the binaries left out; nothing if it was up."""
    seconds = {step.title: step.elapsed for step in steps}
    if "Node" not in seconds:
        return {}
    return {CLUSTER_UP: seconds["Node"] + seconds["Machine"]}


def judged(measured: Measured) -> list[tuple[Limit, str, bool | None]]:
    """Every limit with what was measured in words, and whether it holds (None: not measured in this run)."""
    rows: list[tuple[Limit, str, bool | None]] = []
    for limit in LIMITS:
        value = measured.get(limit)
        rows.append(
            (limit, "not in this run", None) if value is None else (limit, limit.shown(value), value <= limit.at_most)
        )
    return rows


def in_place(before: str, measured: Measured) -> str:
    """A page with the lines of this run's figures written anew; everything else stays as it was."""
    lines = before.splitlines()
    for index, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        value = next((limit.shown(measured[limit]) for limit in measured if limit.what == cells[0]), None)
        if len(cells) == 3 and value is not None:
            lines[index] = f"| {cells[0]} | {cells[1]} | {value} |"
    return "\n".join(lines) + "\n"


def blank() -> str:
    """A page on which nothing was recorded yet."""
    lines = "".join(f"| {limit.what} | {limit.shown(limit.at_most)} | not yet |\n" for limit in LIMITS)
    return f"# Figures\n\n{HEADER}{lines}"


def breakdown(machine: str, steps: Iterable[Step]) -> str:
    """Where a run's time went, and on what machine."""
    parts = "".join(f"| {step.title} | {duration(step.elapsed)} |\n" for step in steps)
    return f"{LAST_RUN}\n\nOn {machine}:\n\n| step | time |\n|---|---|\n{parts}"


def page(measured: Measured, machine: str, before: str, steps: Iterable[Step]) -> str:
    """The whole page after a run: what it did not measure keeps what an earlier one recorded."""
    kept = (before or blank()).partition(LAST_RUN)[0].rstrip()
    return f"{in_place(kept, measured)}\n{breakdown(machine, steps)}"


def record(measured: Measured, machine: str, steps: Iterable[Step], path: Path = PAGE) -> None:
    """Write the page anew."""
    path.write_text(page(measured, machine, path.read_text() if path.exists() else "", steps))
