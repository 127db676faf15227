"""`make bench-operator`: measure, judge, print, and record when asked. The exit status is 1 when a limit is broken."""

import argparse
import os
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from hack.bench_operator.chart import chart
from hack.bench_operator.limits import Figures, grown, missed
from hack.bench_operator.report import BEGIN, END, PICTURE, header, rows, section
from hack.bench_operator.runs import run
from hack.bench_server.report import page
from hack.demo.machine import ROOT, observed

FIGURES, CHART = ROOT / "docs/figures.md", ROOT / "docs" / PICTURE
MODELS = (100, 1000, 5000)


def say(words: str) -> None:
    """Progress, at once."""
    print(f"  {words}", flush=True)


def show(found: Mapping[int, Figures]) -> None:
    """The table on the terminal."""
    table = Table(*header(found), title="the operator on the API emulator")
    for row in rows(found, ("[red]", "[/]")):
        table.add_row(*row)
    Console(width=150).print(table)


def record(found: Mapping[int, Figures], machine: str, command: str) -> None:
    """Write docs/figures.md and its picture."""
    FIGURES.write_text(page(FIGURES.read_text(), section(found, machine, command), begin=BEGIN, end=END))
    CHART.write_text(chart(found))
    say(f"recorded in {FIGURES.relative_to(ROOT)} and {CHART.relative_to(ROOT)}")


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench_operator", description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=MODELS, help="numbers of models, one run for each")
    parser.add_argument("--record", action="store_true", help="write docs/figures.md")
    asked = parser.parse_args()
    machine = f"{observed().sentence}, load {os.getloadavg()[0]:.1f} when it began"
    found = grown({count: run(count, say) for count in asked.models})
    show(found)
    for words in (broken := missed(found)):
        print(f"missed: {words}")
    if asked.record:
        record(found, machine, "make bench-operator")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
