"""`make bench-gpu`: tokens a second and time to first token on a real GPU with a real model, ours beside vLLM's server.

Everything but the loads is that of `make bench-server`. Where there is no GPU it says so and ends with status 2.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import uvloop

from hack.bench_server.__main__ import RUNS, say, show
from hack.bench_server.rows import Figure, Measured, Row, Side, What, judged
from hack.bench_server.runs import Case, one_run
from hack.bench_server.servers import BenchError, Ground, serving
from hack.demo.machine import ROOT

DEVICE = Path("/dev/nvidiactl")
PYTHON = ROOT / ".venv-gpu/bin/python"
CONTEXT = 8192
SIDES = (Side.VLLM, Side.OURS)
CASES = tuple(Case(f"{at_once} streams", SIDES, at_once, 4 * at_once, 0.0) for at_once in (1, 8, 64))
ROWS = tuple(
    row
    for case in CASES
    for row in (
        Row(f"tokens a second, {case.name}", case.name, What.RATE, Side.OURS, 1.0, Side.VLLM, at_least=True),
        Row(f"time to first token, {case.name}, p50", case.name, What.FIRST_P50, Side.OURS, 1.0, Side.VLLM),
    )
)


async def turns(side: Side, ground: Ground, found: defaultdict[Figure, list[float]]) -> None:
    """One start of one side, warmed up, then every case once: two models at a time would not fit one GPU."""
    async with serving(ground, side) as server:
        for case in CASES:
            await one_run(case, server)
            for what, value in (await one_run(case, server)).items():
                found[Figure(case.name, side, what)].append(value)


async def measured(model: Path, runs: int) -> Measured:
    """Rounds in which both sides take their turn."""
    found: defaultdict[Figure, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="qwen-bench-") as name:
        ground = Ground(python=PYTHON, folder=Path(name), model=model, context=CONTEXT, null=False, device="gpu")
        for number in range(1, runs + 1):
            say(f"round {number} of {runs}")
            for side in SIDES:
                await turns(side, ground, found)
    return found


def obstacle(model: str) -> str | None:
    """Why nothing can be measured here, or None."""
    if not DEVICE.exists():
        return f"No NVIDIA GPU is visible here ({DEVICE} is missing), so nothing was measured."
    if not (Path(model) / "config.json").is_file():
        return "Name the folder of a model: make bench-gpu MODEL=/models/Qwen3-8B."
    return None


def main(words: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench_server.gpu", description=__doc__)
    parser.add_argument("--model", default="")
    parser.add_argument("--look", action="store_true", help="only say whether anything can be measured")
    asked = parser.parse_args(words)
    why = obstacle(asked.model)
    if why is not None:
        print(why, file=sys.stderr)
        return 2
    if asked.look:
        return 0
    try:
        rows = judged(ROWS, uvloop.run(measured(Path(asked.model).absolute(), RUNS)), {})
    except (TimeoutError, BenchError, ConnectionError) as error:
        print(error, file=sys.stderr)
        return 2
    show(rows)
    return int(any(each.verdict == "MISSED" for each in rows))


if __name__ == "__main__":
    sys.exit(main())
