"""The server's process: two listeners, one engine, signals, and how it all ends.

It decides nothing that drain.py or health.py can decide; it must never let the engine hold up an answer or an exit.
"""

import asyncio
import secrets
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector

from qwen_server.api.service import Service
from qwen_server.app import create_app
from qwen_server.auth import KeyRing
from qwen_server.drain import Event, Lifecycle
from qwen_server.engine.base import Engine, EngineStartFailed, ModelFacts
from qwen_server.exchange import Interruption
from qwen_server.health import Pulse, last_look, watch_engine, watch_start
from qwen_server.journal import Journal, report_lost_errors
from qwen_server.listening import LAST_WORDS_SECONDS, listener
from qwen_server.management import create_management
from qwen_server.metrics import HttpMetrics, show_keys, show_release
from qwen_server.qwen.choice import chosen
from qwen_server.settings import ContextOverflow, Settings
from qwen_server.termination import Reason, Termination

CLOSE_SECONDS = 10.0
"""How long the engine may take to end."""
FORCE_SECONDS = 2.0
"""And after that, until nobody waits for it: the end of the process takes its processes along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Bound before anything is loaded, so that a taken port is said at once."""

    api: socket.socket
    management: socket.socket


@dataclass(slots=True)
class Stop:
    """The request to end, as signals bring it."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    """A person asks again: what runs shall not be waited for."""
    interactive: bool = False

    def ask(self, number: signal.Signals) -> None:
        """A person at a terminal (SIGINT) waits for no endpoints."""
        if self.asked.is_set() and number is signal.SIGINT:
            self.hurried.set()
        self.interactive = number is signal.SIGINT
        self.asked.set()


def heed_signals(stop: Stop) -> None:
    """SIGTERM and SIGINT ask the server to stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server with everything it is made of."""

    settings: Settings
    engine: Engine
    ring: KeyRing
    journal: Journal
    lifecycle: Lifecycle
    pulse: Pulse
    stop: Stop
    let_go: Callable[[], None]
    """Keep no connection of the API on which nothing is being answered."""

    async def run(self) -> Termination | None:
        """Load, serve, drain. None after a clean end."""
        facts = await self.load()
        if not isinstance(facts, ModelFacts):
            return facts
        self.lifecycle.loaded(facts)
        used = chosen(self.settings.parsers, facts.chat_template)
        self.journal.note(
            "ready",
            context=facts.context_length,
            architecture=facts.architecture,
            tool_call_parser=used.tool_call,
            reasoning_parser=used.reasoning,
        )
        death = asyncio.ensure_future(watch_engine(self.engine, self.pulse))
        try:
            why = death.result() if await self.first_of(death) else await self.drain_beside(death)
        finally:
            death.cancel()
        return await self.give_up(why) if why else None

    async def load(self) -> ModelFacts | Termination | None:
        """Start the engine; a Termination if it fails, None if the server is asked to stop before it is up."""
        start = asyncio.ensure_future(self.engine.start())
        stall = asyncio.ensure_future(watch_start(self.engine, self.settings.stall_timeout, self.lifecycle.load))
        try:
            if not await self.first_of(start, stall):
                return None
            return start.result() if start.done() else Termination(Reason.LOAD_STALLED, stall.result())
        except EngineStartFailed as error:
            return Termination(error.reason, str(error))
        except Exception as error:  # whatever an engine throws, the operator learns where
            self.journal.failure("engine start failed", error)
            return Termination(Reason.ENGINE_START_FAILED, f"The engine failed to start: {type(error).__name__}.")
        finally:
            start.cancel()
            stall.cancel()

    async def first_of(self, *work: "asyncio.Future[Any]") -> bool:
        """True if some of the work ends before the server is asked to stop."""
        asked = asyncio.ensure_future(self.stop.asked.wait())
        await asyncio.wait({*work, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not any(each.done() for each in work):
            self.lifecycle.advance(Event.TERMINATE)
            return False
        return True

    async def give_up(self, why: str) -> Termination:
        """The engine is dead: tell everybody who waits, and go."""
        self.lifecycle.load.last_error = why
        self.lifecycle.interrupt(Interruption.ENGINE_DEAD)
        await self.lifecycle.idle(LAST_WORDS_SECONDS)
        return Termination(Reason.ENGINE_DEAD, why)

    async def drain_beside(self, death: "asyncio.Future[str]") -> str | None:
        """Drain, but for nothing once the engine is dead: why it died then, or None."""
        draining = asyncio.ensure_future(self.drain())
        either: set[asyncio.Future[Any]] = {draining, death}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            draining.cancel()
            return death.result()
        return await last_look(self.engine)  # its death ends every answer, and may so end the drain before it is seen

    async def drain(self) -> None:
        """Let running requests finish, and tell those that do not."""
        self.journal.note("draining", running=len(self.lifecycle.running))
        finished = await self.unless_hurried(self.finish_running())
        self.lifecycle.advance(Event.NOTICED)
        if not finished:
            interrupted = self.lifecycle.interrupt(Interruption.DEADLINE)
            self.journal.note("drain deadline", "warning", interrupted=interrupted)
            await self.lifecycle.idle(LAST_WORDS_SECONDS)
        self.lifecycle.advance(Event.FINISHED)

    async def finish_running(self) -> bool:
        """Be seen leaving, then refuse, and wait for what runs; False if that takes too long."""
        await asyncio.sleep(0.0 if self.stop.interactive else self.settings.endpoint_delay)
        self.lifecycle.advance(Event.NOTICED)
        self.let_go()
        return await self.lifecycle.idle(self.settings.drain_timeout)

    async def unless_hurried(self, work: Coroutine[Any, Any, bool]) -> bool:
        """The work's result, or False once somebody asks for an end at once."""
        working, hurried = asyncio.ensure_future(work), asyncio.ensure_future(self.stop.hurried.wait())
        try:
            await asyncio.wait({working, hurried}, return_when=asyncio.FIRST_COMPLETED)
            return working.done() and working.result()
        finally:
            working.cancel()
            hurried.cancel()


async def end(engine: Engine, journal: Journal) -> None:
    """Close the engine, whatever it makes of that: the process ends anyway."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS + FORCE_SECONDS):
            await engine.close(CLOSE_SECONDS)
    except Exception as error:  # the reason for which the server ends must not be lost over it
        journal.failure("engine not closed", error)


async def serve(
    settings: Settings,
    engine: Engine,
    ring: KeyRing,
    registry: CollectorRegistry,
    journal: Journal,
    sockets: Sockets,
    version: str,
) -> Termination | None:
    """Everything between a bound socket and the end of the process. None after a clean end."""
    lifecycle, pulse, stop = Lifecycle(), Pulse(settings.stall_timeout), Stop()
    report_lost_errors(asyncio.get_running_loop(), journal)
    heed_signals(stop)
    service = Service(
        served_name=settings.engine_settings.served_model_name,
        version=version,
        created=int(time.time()),
        clamp=settings.context_overflow is ContextOverflow.CLAMP,
        engine=engine,
        lifecycle=lifecycle,
        pulse=pulse,
        journal=journal,
        now=lambda: int(time.time()),
        parsers=settings.parsers,
    )
    show_release(registry, version, settings.engine_settings.served_model_name)
    ring.reloaded = show_keys(registry, lambda: len(ring.valid()), lambda: ring.flawed)
    ProcessCollector(registry=registry)
    api = listener(create_app(service, ring, HttpMetrics(registry), lambda: secrets.token_hex(12)))
    management = listener(create_management(engine, lifecycle, pulse, registry))
    listening = [
        asyncio.ensure_future(api.serve([sockets.api])),
        asyncio.ensure_future(management.serve([sockets.management])),
    ]
    following = asyncio.ensure_future(ring.follow())
    server = Server(
        settings=settings,
        engine=engine,
        ring=ring,
        journal=journal,
        lifecycle=lifecycle,
        pulse=pulse,
        stop=stop,
        let_go=api.let_go,
    )
    try:
        return await server.run()
    finally:
        following.cancel()
        api.should_exit = management.should_exit = True
        await asyncio.gather(*listening, return_exceptions=True)
        await end(engine, journal)
