"""What the operator says about itself: metrics, "I still hear", and "I am ready".

Why it exists: a process that runs is not an operator that works. Liveness here means that something was heard lately
on every watch, that the event loop turns, and that no model waits for ever. It must never name a model in a metric's
label, nor need a key or a right to be read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from qwen_operator import series
from qwen_operator.series import Series

LOOP_LAG_LIMIT = 10.0
"""Seconds that the event loop may be late before liveness fails."""

Complaint = Callable[[], str | None]
"""A judgement made on demand: a sentence about what is wrong, or None."""


class Metrics:
    """The operator's own counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests: Counter = series.REQUESTS.made(self.registry)
        self.seconds: Histogram = series.REQUEST_SECONDS.made(self.registry)
        self.steps: Counter = series.STEPS.made(self.registry)
        self.failures: Counter = series.FAILURES.made(self.registry)
        self.reconciles: Histogram = series.RECONCILE_SECONDS.made(self.registry)
        self._gauges: dict[Series, Gauge] = {}

    def gauge(self, declared: Series, value: Callable[[], float], **labels: str) -> None:
        """Add a figure that is read when it is asked for, or one more value of its labels."""
        if declared not in self._gauges:
            self._gauges[declared] = declared.made(self.registry)
        gauge = self._gauges[declared]
        (gauge.labels(**labels) if labels else gauge).set_function(value)

    def ended(self, result: str, seconds: float) -> None:
        """A look at a model is over."""
        self.reconciles.labels(result).observe(seconds)

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)


class LoopLag:
    """How late the event loop is: a task that wants to run each second and notes when it did."""

    def __init__(self) -> None:
        self._beat = asyncio.get_running_loop().time()
        self.worst = 0.0

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._beat = asyncio.get_running_loop().time()
            await asyncio.sleep(1.0)
            self.worst = max(self.worst * 0.9, asyncio.get_running_loop().time() - self._beat - 1.0)

    def complaint(self) -> str | None:
        """The loop lags. (If it stands still, no answer comes at all, which the probe counts as a failure too.)"""
        late = max(self.worst, asyncio.get_running_loop().time() - self._beat - 1.0)
        return f"the event loop is {late:.0f} s late" if late > LOOP_LAG_LIMIT else None


def first_complaint(complaints: Iterable[Complaint]) -> str | None:
    """The first thing that is wrong, or None."""
    return next((sentence for complaint in complaints if (sentence := complaint())), None)


async def serve(port: int, metrics: Metrics, alive: list[Complaint], ready: list[Complaint]) -> web.AppRunner:
    """Answer `/livez`, `/readyz` and `/metrics` until the returned runner is cleaned up.

    :param port: 0 takes a free one.
    :raises OSError: the port is taken.
    """
    app = web.Application()
    app.router.add_get("/livez", _probe(alive))
    app.router.add_get("/readyz", _probe(ready))
    app.router.add_get("/metrics", _exposition(metrics))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


def _probe(complaints: list[Complaint]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        sentence = first_complaint(complaints)
        return web.Response(text=f"{sentence or 'ok'}\n", status=503 if sentence else 200)

    return answer


def _exposition(metrics: Metrics) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer
