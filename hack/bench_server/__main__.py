"""`make bench-server`: measure, judge, print, and record when asked.

The exit status is 1 when a row is missed, and 2 when nothing can be measured.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from hack.bench_server.chart import chart
from hack.bench_server.frontend import NoFrontEnd, front_end
from hack.bench_server.report import limit, page, section
from hack.bench_server.rows import ROWS, Judged, Measured, Side, judged, spread
from hack.bench_server.runs import loads, starts
from hack.bench_server.servers import BenchError, Ground
from hack.demo.machine import ROOT, observed
from hack.weights.__main__ import default_folder

PYTHON = ROOT / ".venv-engine/bin/python"
FIGURES, CHART = ROOT / "docs/figures.md", ROOT / "docs/bench-server.svg"
CONTEXT, START_CONTEXT = 200_000, 2048
MEMORY = ("--gpu-memory-utilization", "0.3")
"""On a CPU too this is the share of memory; vLLM's server starts with its default only where nothing else runs."""
PRIME = (
    "from vllm.model_executor.models import registry\n"
    "if __name__ == '__main__': registry.ModelRegistry.models['LlamaForCausalLM'].inspect_model_cls()"
)
"""What the Dockerfile does for every architecture."""
RUNS, QUICK_RUNS = 5, 2
TITLE = "Ours as a part of the other side, less is better; the tick is the limit"


def say(words: str) -> None:
    """Progress, at once."""
    print(f"  {words}", flush=True)


def rust() -> tuple[Path | None, Mapping[Side, str]]:
    """The Rust front end, or why there is none."""
    try:
        return front_end(), {}
    except NoFrontEnd as error:
        return None, {Side.RUST: str(error)}


def models(folder: Path) -> Path:
    """The models of the engine without one. Raises BenchError."""
    command = [str(PYTHON), "-m", "hack.bench_server.model", str(folder), str(default_folder(os.environ))]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise BenchError("The model's folder could not be made; run `make venv-engine` and `python -m hack.weights`.")
    return folder / "plain"


def start_grounds(folder: Path) -> Mapping[Side, Ground]:
    """Both sides as in a fresh pod: caches empty, the image's own primed one beside ours, which is what uses it."""
    primed = folder / "primed"
    subprocess.run([PYTHON, "-c", PRIME], env={**os.environ, "VLLM_CACHE_ROOT": str(primed)}, check=True, cwd=ROOT)
    return {
        side: Ground(
            python=PYTHON,
            folder=folder,
            model=default_folder(os.environ),
            context=START_CONTEXT,
            null=False,
            variables={"QWEN_PRIMED_CACHE": str(primed)},
            options=MEMORY,
        )
        for side in (Side.VLLM, Side.OURS)
    }


async def measured(folder: Path, runs: int, front: Path | None) -> Measured:
    """Everything."""
    ground = Ground(python=PYTHON, folder=folder, model=models(folder), context=CONTEXT, rust=front)
    found = dict(await starts(start_grounds(folder), runs, say))
    return found | await loads(ground, runs, say)


def show(rows: list[Judged]) -> None:
    """The table on the terminal."""
    table = Table("what", "must reach", "measured", "ours", "the other", "", title="the server against vLLM's own")
    for each in rows:
        if each.missing:
            table.add_row(each.row.words, limit(each), each.missing, "", "", each.verdict)
            continue
        colour = "green" if each.verdict == "PASS" else "red"
        theirs = spread(each.theirs) if each.theirs else ""
        table.add_row(
            each.row.words, limit(each), spread(each.values), spread(each.ours), theirs, f"[{colour}]{each.verdict}[/]"
        )
    Console(width=160).print(table)


def machine() -> str:
    """This machine, and how busy it was."""
    return f"{observed().sentence}, load {os.getloadavg()[1]:.1f} when it began"


def record(rows: list[Judged], found: Measured, where: str, command: str) -> None:
    """Write docs/figures.md and its picture."""
    FIGURES.write_text(page(FIGURES.read_text(), section(rows, found, where, command)))
    CHART.write_text(chart(rows, TITLE))
    say(f"recorded in {FIGURES.relative_to(ROOT)} and {CHART.relative_to(ROOT)}")


def kept(found: Measured) -> None:
    """All runs as JSON, for whoever wants to look behind a median."""
    path = ROOT / ".local/bench-server.json"
    path.write_text(json.dumps({f"{each.case} / {each.side} / {each.what}": runs for each, runs in found.items()}))


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench_server", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for a first look, not for a record")
    parser.add_argument("--record", action="store_true", help="write docs/figures.md")
    asked = parser.parse_args()
    where, (front, missing) = machine(), rust()
    with tempfile.TemporaryDirectory(prefix="qwen-bench-") as name:
        try:
            found = uvloop.run(measured(Path(name), QUICK_RUNS if asked.quick else RUNS, front))
        except (BenchError, ConnectionError, OSError) as error:
            print(error, file=sys.stderr)
            return 2
    rows = judged(ROWS, found, missing)
    kept(found)
    show(rows)
    if asked.record:
        record(rows, found, where, "make bench-server QUICK=1" if asked.quick else "make bench-server")
    return int(any(each.verdict == "MISSED" for each in rows))


if __name__ == "__main__":
    sys.exit(main())
