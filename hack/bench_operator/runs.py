"""The runs: one server and one operator for each number of models, scene after scene."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from hack.bench_operator import scenes, simulated
from hack.bench_operator.limits import Figures, What, is_judged
from hack.bench_operator.overview import overview
from hack.bench_operator.process import Spared, kubeconfig, operating, spared
from hack.bench_operator.server import NAMESPACE, Server, serving

SAMPLES = 800
"""Single models, half of them beside one that fails."""
COMMIT_MODELS, COMMIT_SECONDS = 100, 3.0
"""On every commit: how many models, and for how long nothing happens."""
Say = Callable[[str], None]


def run(count: int, say: Say) -> Figures:
    """Everything, with so many models."""
    say(f"{count:,} models: simulated time")
    return {**simulated.run(), **uvloop.run(measured(count, say))}


def run_of_a_commit() -> Figures:
    """What is judged by counts and CPU, in some seconds."""
    return {**simulated.run(), **uvloop.run(counted())}


async def measured(count: int, say: Say) -> Figures:
    """All scenes on one server."""
    less = await spared()
    async with _ground() as (server, config):
        say(f"{count:,} models: start, crowd")
        found = await scenes.first(server, config, less)
        async with operating(config, NAMESPACE) as operator:
            found |= await scenes.crowd(server, operator, count, less)
            say(f"{count:,} models: rest, burst, status, one more")
            found |= await scenes.rest(server, operator)
            found |= await scenes.burst(server, operator)
            found |= await overview(config)
            more = SAMPLES if is_judged(What.MORE_P50, count) else 0
            if more:
                found |= await scenes.more(server, count, more // 2)
            await asyncio.sleep(scenes.SETTLE_SECONDS)
        say(f"{count:,} models: restart")
        return found | await scenes.restart(server, config, count + more)


async def counted() -> Figures:
    """The scenes of a commit; the burst is left to simulated time, where no other program comes between."""
    async with _ground() as (server, config):
        async with operating(config, NAMESPACE) as operator:
            found = await scenes.crowd(server, operator, COMMIT_MODELS, Spared(0, 0))
            found |= await scenes.rest(server, operator, COMMIT_SECONDS)
        return found | await scenes.restart(server, config, COMMIT_MODELS)


@asynccontextmanager
async def _ground() -> AsyncIterator[tuple[Server, Path]]:
    """A server, and a kubeconfig for it."""
    with tempfile.TemporaryDirectory(prefix="qwen-bench-") as folder:
        async with serving() as server:
            yield server, kubeconfig(server.emulator.url, Path(folder), NAMESPACE)
