"""An operator's process: all parts are real but kopf, which is imitated with its weaknesses, and the socket."""

import asyncio
import contextlib
import contextvars
import datetime
from collections.abc import AsyncIterator
from typing import Any

import kopf
from kubernetes.aio.client import Configuration

from qwen_operator import handlers, operation
from qwen_operator.cache import Cache, version_of
from qwen_operator.cluster import Cluster, Event, Page
from qwen_operator.core import kinds
from qwen_operator.core.settings import Settings
from qwen_operator.credentials import Credentials
from qwen_operator.keys import key_of
from qwen_operator.lease import LeaseLost
from qwen_operator.parts import Parts, assembled
from qwen_operator.refusals import Gone, Refusal
from tests.operator_api.emulator.wire import Wire
from tests.operator_api.proofs import pausing
from tests.operator_api.proofs.world import NAMESPACE, OPS, World

SETTINGS = Settings(
    namespace=OPS,
    watch_namespaces=(NAMESPACE,),
    server_image="registry.example/server:1",
    server_cpu_image="registry.example/server-cpu:1",
    weights_image="registry.example/operator:1",
)


class Account(Credentials):
    """The operator's account, and its way to the emulator."""

    def __init__(self, wire: Wire, token: str) -> None:
        configuration = Configuration(host="http://emulator")
        configuration.api_key["BearerToken"] = f"Bearer {token}"
        super().__init__(configuration)
        self._wire = wire

    def connector(self) -> Wire:
        """The wire."""
        return self._wire


class Process:
    """One process from its start to its end.

    :param identity: the pod's name.
    """

    def __init__(self, world: World, identity: str = "operator-1", *, settings: Settings = SETTINGS) -> None:
        self.world = world
        self.identity = identity
        self.wire = Wire(world.emulator, world.latency, identity)
        self.skew = datetime.timedelta()
        """By how much its own wall clock is wrong."""
        self.pause = pausing.Pause()
        context = contextvars.copy_context()
        context.run(pausing.present.set, self.pause)
        self.parts: Parts = context.run(self._assembled, settings)
        self.task = asyncio.get_running_loop().create_task(self._live(), name=identity, context=context)

    def _assembled(self, settings: Settings) -> Parts:
        return assembled(
            settings, Account(self.wire, self.world.token), self.identity, lambda: self.world.now() + self.skew
        )

    async def _live(self) -> None:
        beat = asyncio.create_task(self.parts.lag.run())
        try:
            await operation.preflight(self.parts)
            await operation.run(self.parts, likeness_of_kopf(self.parts.cluster, self.parts.caches.models, NAMESPACE))
        finally:
            beat.cancel()
            await self.parts.transport.close()

    def kill(self) -> None:
        """SIGKILL: from this moment on nothing that it does matters."""
        self.wire.cut()
        self.task.cancel()

    async def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self.task.cancel()
        await self.ended()

    async def ended(self) -> None:
        """Wait for its end, however it comes about."""
        await asyncio.wait({self.task})
        if not self.task.cancelled() and (error := self.task.exception()) and not isinstance(error, _ENDINGS):
            raise error


_settings = kopf.OperatorSettings()
handlers.configure(_settings)
BACKOFFS: tuple[float, ...] = tuple(_settings.networking.error_backoffs)  # type: ignore[arg-type]

_ENDINGS = (LeaseLost, Refusal, operation.CannotStart)
"""What a process may end with, to be started anew; everything else is a bug."""


class Kubelet:
    """Starts a process anew whenever it ends: at once, then after 10 s, 20 s, and so on up to 5 minutes."""

    def __init__(self, world: World, identity: str = "operator-1", settings: Settings = SETTINGS) -> None:
        self.world = world
        self.identity = identity
        self.settings = settings
        self.restarts = 0
        self.process = Process(world, identity, settings=settings)
        self._task = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        pause = 0.0
        while True:
            begun = self.world.time
            await self.process.ended()
            self.process.wire.cut()
            pause = 0.0 if self.world.time - begun > 600 else pause
            await asyncio.sleep(pause + 0.5)
            pause = min(max(10.0, 2 * pause), 300.0)
            self.restarts += 1
            self.process = Process(self.world, self.identity, settings=self.settings)

    def kill(self) -> None:
        """SIGKILL for the process of the moment."""
        self.process.kill()

    async def replace(self, settings: Settings) -> None:
        """Another version of the program: the old process is asked to end, the new one is another pod."""
        self.settings, self.identity = settings, f"{self.identity}-next"
        old = self.process
        await old.stop()
        while self.process is old:  # noqa: ASYNC110  (simulated time costs nothing)
            await asyncio.sleep(1)
        self.restarts -= 1

    async def stop(self) -> None:
        """End the process for good, if it has not."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.process.stop()


@contextlib.asynccontextmanager
async def operated(world: World, **how: Any) -> AsyncIterator[Kubelet]:
    """A cluster with an operator that is kept running."""
    kubelet = Kubelet(world, **how)
    try:
        yield kubelet
    finally:
        await kubelet.stop()


async def likeness_of_kopf(cluster: Cluster, models: Cache, namespace: str) -> None:
    """kopf's watch as it was measured: it never tells of a deletion that it missed, and it gives up after 30 s."""
    seen = _Seen(models)
    while True:
        try:
            if not seen.version:
                async with contextlib.aclosing(cluster.pages(kinds.QWEN_MODEL, namespace)) as pages:
                    async for page in pages:
                        seen.listed(page)
            stream = cluster.watch(kinds.QWEN_MODEL, namespace, version=seen.version)
            async with contextlib.aclosing(stream):
                async for event in stream:
                    seen.told(event)
            await asyncio.sleep(1)
        except Gone:
            seen.version = ""
        except Refusal:
            pause = next(seen.backoffs, None)
            if pause is None:
                raise
            await asyncio.sleep(pause)


class _Seen:
    """How far a watch has come."""

    def __init__(self, models: Cache) -> None:
        self._models = models
        self.version = ""
        self.backoffs = iter(BACKOFFS)

    def listed(self, page: Page) -> None:
        self.version = self.version or page.version
        for manifest in page.items:
            self._models.put(manifest)

    def told(self, event: Event) -> None:
        self.backoffs = iter(BACKOFFS)
        self.version = (event.object.get("metadata") or {}).get("resourceVersion") or self.version
        if event.type == "DELETED":
            self._models.drop(key_of(event.object), version_of(event.object))
        elif event.type != "BOOKMARK":
            self._models.put(event.object)
