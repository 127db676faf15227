"""What takes minutes, in simulated time and within one process: rest, and a model that fails for long.

All parts of the operator are real but kopf, which an informer stands in for.
"""

import asyncio
import contextlib
import datetime
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import looptime
from kubernetes.aio.client.configuration import Configuration

from hack.bench_operator.limits import Figures, What
from hack.bench_operator.server import NAMESPACE, Server, name
from qwen_operator import operation
from qwen_operator.core import kinds, settings
from qwen_operator.core.settings import Settings
from qwen_operator.credentials import Credentials
from qwen_operator.informer import Informer
from qwen_operator.parts import Parts, assembled
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.asking import Answer, Request
from tests.operator_api.emulator.wire import Wire

EPOCH = datetime.datetime(2026, 11, 25, 8, 0, tzinfo=datetime.UTC)
SETTINGS = Settings(
    namespace=NAMESPACE,
    watch_namespaces=(NAMESPACE,),
    server_image=settings.SERVER_IMAGE,
    server_cpu_image=settings.SERVER_CPU_IMAGE,
    weights_image="registry.example/operator:1",
)
CROWD, BURST = 40, 100
ANSWER_SECONDS = 0.01
MINUTE = 60.0
SETTLE, REST, LONG = 5 * MINUTE, 10 * MINUTE, 20 * MINUTE


class Slow(Emulator):
    """An API server that takes time for an answer, and counts how many it works on at once."""

    def __init__(self) -> None:
        super().__init__(judging=False)
        self._flying = 0
        self.most = 0

    async def answer(self, request: Request) -> Answer:
        """The answer, a little later."""
        if "watch" in request.query or "/leases" in request.path:
            return await super().answer(request)
        self._flying += 1
        self.most = max(self.most, self._flying)
        try:
            await asyncio.sleep(ANSWER_SECONDS)
            return await super().answer(request)
        finally:
            self._flying -= 1


class Account(Credentials):
    """The way to an emulator in the same process."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(Configuration(host="http://emulator"))
        self._wire = wire

    def connector(self) -> Wire:
        """The wire."""
        return self._wire


@contextlib.asynccontextmanager
async def operated(emulator: Emulator) -> AsyncIterator[Parts]:
    """An operator at work."""
    loop = asyncio.get_running_loop()
    parts = assembled(
        SETTINGS, Account(Wire(emulator)), "bench", lambda: EPOCH + datetime.timedelta(seconds=loop.time())
    )
    models = Informer(parts.cluster, kinds.QWEN_MODEL, NAMESPACE, parts.caches.models)
    task = asyncio.create_task(operation.run(parts, models.run()))
    try:
        yield parts
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await parts.transport.close()


async def measured() -> Figures:
    """A crowd that settles, rests, and sees a child change in a burst; then one more model that fails for long."""
    emulator = Slow()
    server = Server(emulator)
    async with operated(emulator) as parts:
        server.add(0, CROWD)
        await asyncio.sleep(SETTLE)
        server.forget_traffic()
        await asyncio.sleep(REST)
        resting = server.writes()
        looks = parts.queue.attempts
        server.burst(1, BURST)
        await asyncio.sleep(MINUTE)
        looks, statuses = parts.queue.attempts - looks, server.statuses[name(1)]
        server.obstruct(CROWD)
        server.add(CROWD, 1)
        await asyncio.sleep(REST)
        server.forget_traffic()
        tries = _failures(parts)
        await asyncio.sleep(LONG)
        return {
            What.REST_WRITES: resting,
            What.BURST_RECONCILES: looks,
            What.BURST_STATUSES: statuses,
            What.FAILING_TRIES: (_failures(parts) - tries) / (LONG / MINUTE),
            What.FAILING_WRITES: server.writes(),
            What.IN_FLIGHT: emulator.most,
        }


def _failures(parts: Parts) -> int:
    """Steps that could not be taken so far."""
    samples: Iterator[Any] = (each for metric in parts.metrics.failures.collect() for each in metric.samples)
    return int(sum(each.value for each in samples if each.name.endswith("_total")))


def run() -> Figures:
    """All of it, in no time."""
    logger = logging.getLogger("qwen_operator")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            return runner.run(measured())
    finally:
        logger.setLevel(level)
