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

LOOP_LAG_LIMIT = 10.0
"""Seconds that the event loop may be late before liveness fails."""

Complaint = Callable[[], str | None]
"""A judgement made on demand: a sentence about what is wrong, or None."""


class Metrics:
    """The operator's own counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "qwen_operator_api_requests_total",
            "Requests to the API server by verb, resource and HTTP status (0: no answer)",
            ["verb", "resource", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "qwen_operator_api_request_seconds",
            "Time to the head of the API server's answer; watches are left out",
            ["verb"],
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
        )
        self.steps = Counter(
            "qwen_operator_steps_total", "Steps applied by verb and kind", ["verb", "kind"], registry=self.registry
        )
        self.failures = Counter(
            "qwen_operator_step_failures_total", "Steps refused, by reason", ["reason"], registry=self.registry
        )

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a figure that is read when it is asked for."""
        Gauge(f"qwen_operator_{name}", text, registry=self.registry).set_function(value)

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
