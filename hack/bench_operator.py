"""How fast and how small the operator is: many models on the API emulator, with the operator as a process of its own.

Run it as `python -m hack.bench_operator [--models 1000]`. Counts carry over to any cluster; times are those of the
machine's cores, shared with an API server written in Python, over plain HTTP. Each figure has the limit that it is held
against; the exit status is 1 if one is broken.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.memory import Happening

NAMESPACE = "bench"
CHILDREN = 3
"""Secret, Service, Deployment."""
MODEL = {"model": {"uri": "pvc://weights/qwen3"}, "device": "CPU"}
IDLE_SECONDS = 15
LATENCY_SAMPLES = 200
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: float
    unit: str
    limit: float

    @property
    def good(self) -> bool:
        """Whether the limit is held."""
        return self.value <= self.limit


class Operator:
    """The operator's process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._port = port

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self) -> float:
        """Resident memory in MB."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

    async def reconciles(self) -> float:
        """Reconciles since the start; 0 while it does not answer yet."""
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self._port}/metrics") as answer:
                lines = (await answer.text()).splitlines()
        except aiohttp.ClientError:
            return 0
        counted = "qwen_operator_reconcile_seconds_count{"
        return sum(float(line.split()[1]) for line in lines if line.startswith(counted))


@asynccontextmanager
async def operating(url: str, folder: Path) -> AsyncIterator[Operator]:
    """The operator against a URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kubeconfig = folder / "kubeconfig"
    cluster = {"name": "here", "cluster": {"server": url}}
    context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
    config = {"current-context": "here", "clusters": [cluster], "contexts": [context]}
    kubeconfig.write_text(json.dumps(config | {"users": [{"name": "me", "user": {}}]}))
    arguments = ["run", f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACE}", f"--metrics-port={port}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qwen_operator", *arguments, "--log-level=warning"
    )
    try:
        yield Operator(process, port)
    finally:
        process.terminate()
        await process.wait()


async def until(true: Callable[[], bool], seconds: float = 300) -> float:
    """Seconds until something is so."""
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  (what is waited for happens in another process)
            await asyncio.sleep(0.01)
    return time.monotonic() - started


def add_models(emulator: Emulator, first: int, count: int) -> None:
    """Store models."""
    for number in range(first, first + count):
        model = {"apiVersion": "qwen-operator.io/v1alpha1", "kind": "QwenModel", "spec": MODEL}
        emulator.objects.create("qwenmodels", NAMESPACE, model | {"metadata": {"name": f"model-{number}"}})


def reported(emulator: Emulator) -> int:
    """How many models have a status."""
    return sum("status" in model for model in emulator.objects.all("qwenmodels", NAMESPACE))


async def many(emulator: Emulator, operator: Operator, count: int) -> list[Figure]:
    """An empty operator, then many new models at once."""
    await until(lambda: emulator.traffic.requests["watch", "qwenmodels"] > 0)
    await asyncio.sleep(2)
    empty, cpu = operator.resident(), operator.cpu()
    emulator.traffic.requests.clear()
    add_models(emulator, 0, count)
    wall = await until(lambda: reported(emulator) == count)
    await asyncio.sleep(1)
    return [
        Figure("memory, empty", empty, "MB", 60 + 13),
        Figure(f"{count} new models, all reported", wall, "s", count / 100),
        Figure("CPU a model", 1000 * (operator.cpu() - cpu) / count, "ms", 6),
        Figure("writes a model", emulator.traffic.writes() / count, "", CHILDREN + 1),
        Figure(f"memory, {count} models", operator.resident(), "MB", 60 + 13 + 0.03 * count),
    ]


async def idle(emulator: Emulator, operator: Operator) -> list[Figure]:
    """Nothing happens."""
    emulator.traffic.requests.clear()
    cpu = operator.cpu()
    await asyncio.sleep(IDLE_SECONDS)
    calls = emulator.traffic.reads() + emulator.traffic.writes()
    return [
        Figure(f"reads and writes in {IDLE_SECONDS} s at rest", calls, "", 0),
        Figure("CPU at rest", 100 * (operator.cpu() - cpu) / IDLE_SECONDS, "% of a core", 1),
    ]


async def one_more(emulator: Emulator, first: int) -> list[Figure]:
    """One model at a time: stored, until its Deployment is stored."""
    stored: dict[str, float] = {}

    def note(happening: Happening) -> None:
        if happening.resource == "deployments" and happening.type == "ADDED":
            stored[happening.manifest["metadata"]["name"]] = time.monotonic()

    emulator.objects.listeners.append(note)
    delays = []
    for number in range(first, first + LATENCY_SAMPLES):
        started, name = time.monotonic(), f"model-{number}"
        add_models(emulator, number, 1)
        async with asyncio.timeout(10):
            while name not in stored:  # noqa: ASYNC110  (as above)
                await asyncio.sleep(0.0005)
        delays.append(1000 * (stored[name] - started))
        await asyncio.sleep(0.02)
    emulator.objects.listeners.remove(note)
    return [
        Figure("one more: stored to Deployment stored, p50", statistics.median(delays), "ms", 6),
        Figure("the same, p99", statistics.quantiles(delays, n=100)[98], "ms", 25),
    ]


async def restart(emulator: Emulator, folder: Path, count: int) -> list[Figure]:
    """A new process finds everything as asked."""
    emulator.objects.merge("leases", NAMESPACE, "qwen-operator", {"spec": {"holderIdentity": ""}})
    emulator.traffic.requests.clear()
    started = time.monotonic()
    async with operating(emulator.url, folder) as operator:
        async with asyncio.timeout(120):
            while await operator.reconciles() < count:  # noqa: ASYNC110  (as above)
                await asyncio.sleep(0.05)
        wall = time.monotonic() - started
        await asyncio.sleep(1)
        return [
            Figure("restart until all are looked at, imports included", wall, "s", 3),
            Figure("writes after a restart", emulator.traffic.writes(), "", 0),
            Figure("memory after it", operator.resident(), "MB", 60 + 13 + 0.03 * count),
        ]


async def measured(count: int) -> list[Figure]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Emulator(judging=False).serving() as emulator:  # the operator is measured, not the judge of specs
            claim: dict[str, Any] = {"metadata": {"name": "weights"}, "spec": {}}
            emulator.objects.create("persistentvolumeclaims", NAMESPACE, claim)
            async with operating(emulator.url, folder) as operator:
                figures = await many(emulator, operator, count)
                figures += await idle(emulator, operator)
                figures += await one_more(emulator, count)
            return figures + await restart(emulator, folder, count + LATENCY_SAMPLES)


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    figures = asyncio.run(measured(parser.parse_args().models))
    table = Table("what", "measured", "at most", title="the operator on the API emulator, kubeconfig mode")
    for figure in figures:
        colour = "green" if figure.good else "red"
        table.add_row(figure.what, f"[{colour}]{figure.value:.2f}[/] {figure.unit}", f"{figure.limit:g} {figure.unit}")
    Console().print(table)
    sys.exit(0 if all(figure.good for figure in figures) else 1)


if __name__ == "__main__":
    main()
