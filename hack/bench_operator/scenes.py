"""What happens to the operator, scene by scene; each returns its figures. All scenes of a run share one server."""

import asyncio
import time
from pathlib import Path
from statistics import median, quantiles

from hack.bench_operator.limits import Figures, What
from hack.bench_operator.process import Operator, Spared, operating
from hack.bench_operator.server import NAMESPACE, Server

SETTLE_SECONDS = 1.5
"""Behind a scene, so that what it set off is over."""
FAILING_SECONDS = 3.0
"""For which a model fails before the others are measured: its first tries come one upon the other."""
IDLE_SECONDS = 15
BURST = 100
PAUSE = 0.02
"""Seconds between two single models."""
PATIENCE = 120.0


async def first(server: Server, kubeconfig: Path, spared: Spared) -> Figures:
    """One model is there before the operator starts."""
    server.add(0, 1)
    waiting = asyncio.ensure_future(server.first_write())
    async with operating(kubeconfig, NAMESPACE) as operator:
        seconds = await waiting - operator.started - spared.seconds
        await server.reported(1)
        await asyncio.sleep(SETTLE_SECONDS)
    server.remove(0)
    server.release_lease()
    return {What.FIRST_SECONDS: seconds}


async def crowd(server: Server, operator: Operator, count: int, spared: Spared) -> Figures:
    """An operator without models, then many new ones at once."""
    await server.heard("qwenmodels")
    await asyncio.sleep(2 * SETTLE_SECONDS)
    empty, cpu = operator.resident() - spared.memory, operator.cpu()
    server.forget_traffic()
    began = time.monotonic()
    server.add(0, count)
    seconds = await server.reported(count) - began
    await asyncio.sleep(SETTLE_SECONDS)
    resident = operator.resident() - spared.memory
    return {
        What.EMPTY_MEMORY: empty,
        What.CROWD_SECONDS: seconds,
        What.CROWD_CPU: 1e3 * (operator.cpu() - cpu) / count,
        What.CROWD_WRITES: server.writes() / count,
        What.CROWD_READS: server.reads("get", "list") / count,
        What.CROWD_MEMORY: resident,
        What.MODEL_MEMORY: 1e3 * (resident - empty) / count,
    }


async def rest(server: Server, operator: Operator, seconds: float = IDLE_SECONDS) -> Figures:
    """Nothing happens."""
    server.forget_traffic()
    cpu = operator.cpu()
    await asyncio.sleep(seconds)
    return {
        What.REST_CALLS: server.writes() + server.reads("get", "list"),
        What.REST_CPU: 100 * (operator.cpu() - cpu) / seconds,
    }


async def burst(server: Server, operator: Operator) -> Figures:
    """A child of one model changes a hundred times at once."""
    server.forget_traffic()
    looks = await operator.reconciles()
    server.burst(1, BURST)
    await asyncio.sleep(SETTLE_SECONDS)
    return {
        What.BURST_RECONCILES: await operator.reconciles() - looks,
        What.BURST_STATUSES: server.statuses["model-1"],
    }


async def one_more(server: Server, numbers: range) -> list[float]:
    """One new model at a time: milliseconds from stored to its Deployment stored."""
    delays = []
    for number in numbers:
        delays.append(1e3 * await server.deployed(number))
        await asyncio.sleep(PAUSE)
    return delays


async def more(server: Server, count: int, samples: int, rounds: int = 4) -> Figures:
    """One more among many, and the same while another one fails: in turns, so that the machine's moods fall on both."""
    alone: list[float] = []
    beside: list[float] = []
    number, each = count + 1, samples // rounds
    for _ in range(rounds):
        alone += await one_more(server, range(number, number + each))
        server.obstruct(count)
        server.add(count, 1)
        await asyncio.sleep(FAILING_SECONDS)
        beside += await one_more(server, range(number + each, number + 2 * each))
        server.remove(count)
        await asyncio.sleep(SETTLE_SECONDS)
        number += 2 * each
    return {
        What.MORE_P50: median(alone),
        What.MORE_P99: p99(alone),
        What.FAILING_P99: p99(beside) / p99(alone),
    }


async def restart(server: Server, kubeconfig: Path, models: int) -> Figures:
    """A new process finds everything as asked."""
    server.release_lease()
    server.forget_traffic()
    async with operating(kubeconfig, NAMESPACE) as operator, asyncio.timeout(PATIENCE):
        while not await operator.ready():  # noqa: ASYNC110  (another process is asked)
            await asyncio.sleep(0.02)
        ready = time.monotonic() - operator.started
        while await operator.reconciles() < models:  # noqa: ASYNC110  (as above)
            await asyncio.sleep(0.02)
        looked = time.monotonic() - operator.started
        await asyncio.sleep(SETTLE_SECONDS)
        return {
            What.RESTART_SECONDS: ready,
            What.LOOKED_SECONDS: looked,
            What.RESTART_WRITES: server.writes(),
            What.RESTART_READS: server.reads("get"),
        }


def p99(delays: list[float]) -> float:
    """What one in a hundred is longer than."""
    return quantiles(delays, n=100, method="inclusive")[98]
