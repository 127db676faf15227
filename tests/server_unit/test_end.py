"""How a server ends: after a drain, or with an engine that dies or hangs meanwhile. Time is simulated."""

import asyncio
import io
import json
import signal
from pathlib import Path

import pytest

from qwen_server.auth import KeyRing
from qwen_server.command_line import settings
from qwen_server.drain import Lifecycle, Phase
from qwen_server.engine.base import Engine, EngineDead
from qwen_server.engine.scripted import ScriptedEngine
from qwen_server.exchange import Exchange, Interruption
from qwen_server.health import Pulse
from qwen_server.journal import Journal
from qwen_server.serve import CLOSE_SECONDS, Server, Stop, end
from qwen_server.termination import Reason, Termination

DEATH = Termination(Reason.ENGINE_DEAD, "The core died.")
FLAGS = ["--model=/m", "--keys=/k", "--drain-timeout=300", "--stall-timeout=60"]


class Ill(ScriptedEngine):
    """An engine that falls ill when the test says so."""

    dead = False
    hung = False

    async def ping(self) -> None:
        """Answer, unless it is dead or hung."""
        if self.dead:
            raise EngineDead(DEATH.message)
        if self.hung:
            await asyncio.Event().wait()


def a_running_server(engine: Engine, *requests: Exchange) -> tuple[Server, "asyncio.Future[Termination | None]"]:
    """A server without sockets, with so many requests under way, on the loop's own clock."""
    journal = Journal(io.StringIO())
    server = Server(
        settings=settings(FLAGS, "1"),
        engine=engine,
        ring=KeyRing(Path("/k"), journal),
        journal=journal,
        lifecycle=Lifecycle(running=set(requests)),
        pulse=Pulse(60.0, asyncio.get_running_loop().time),
        stop=Stop(),
        let_go=lambda: None,
    )
    return server, asyncio.ensure_future(server.run())


def now() -> float:
    """The simulated time."""
    return asyncio.get_running_loop().time()


async def asked_to_stop(server: Server) -> None:
    """Ready for a while, then SIGTERM."""
    await asyncio.sleep(10.0)
    server.stop.ask(signal.SIGTERM)


@pytest.mark.looptime
async def test_a_drain_with_a_well_engine_is_a_clean_end() -> None:
    """After the time that endpoints need, as nothing runs."""
    server, ended = a_running_server(Ill())
    await asked_to_stop(server)

    assert await ended is None
    assert now() == pytest.approx(15.0)


@pytest.mark.looptime
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
async def test_ctrl_c_ends_a_drain_at_once(first: signal.Signals) -> None:
    """Whoever had asked before; what runs is told, and the end is a clean one."""
    request = Exchange("1")
    server, ended = a_running_server(Ill(), request)
    await asyncio.sleep(10.0)
    server.stop.ask(first)
    await asyncio.sleep(2.0)
    request.task = asyncio.ensure_future(asyncio.sleep(3600))
    request.task.add_done_callback(lambda _: server.lifecycle.leave(request))
    server.stop.ask(signal.SIGINT)

    assert await ended is None
    assert request.interruption is Interruption.DEADLINE
    assert server.lifecycle.phase is Phase.STOPPED
    assert now() < 13.0


@pytest.mark.looptime
async def test_a_second_sigterm_changes_nothing() -> None:
    """A kubelet that asks twice is no impatient person."""
    request = Exchange("1")
    server, ended = a_running_server(Ill(), request)
    await asked_to_stop(server)
    await asyncio.sleep(100.0)
    server.stop.ask(signal.SIGTERM)
    await asyncio.sleep(100.0)
    assert not ended.done()
    server.lifecycle.leave(request)

    assert await ended is None
    assert now() == pytest.approx(210.0, abs=1.0)


@pytest.mark.looptime
async def test_an_engine_that_dies_during_the_drain_is_the_reason_for_the_end() -> None:
    """Within a second, although a request still runs: there is nothing to wait for."""
    engine, request = Ill(), Exchange("1")
    server, ended = a_running_server(engine, request)
    await asked_to_stop(server)
    await asyncio.sleep(20.0)
    engine.dead = True

    while not server.pulse.dead:  # noqa: ASYNC110 - simulated time
        await asyncio.sleep(0.1)
    noticed = now()
    server.lifecycle.leave(request)

    assert await ended == DEATH
    assert noticed <= 31.0


@pytest.mark.looptime
async def test_an_engine_whose_death_ends_the_drain_is_the_reason_for_the_end() -> None:
    """Its last request ends with it, before the next ping."""
    engine, request = Ill(), Exchange("1")
    server, ended = a_running_server(engine, request)
    await asked_to_stop(server)
    await asyncio.sleep(20.1)
    engine.dead = True
    server.lifecycle.leave(request)

    assert await ended == DEATH


@pytest.mark.looptime
async def test_an_engine_that_hangs_in_the_drain_does_not_hold_the_pod() -> None:
    """The stall limit counts there too."""
    engine = Ill()
    server, ended = a_running_server(engine, Exchange("1"))
    await asked_to_stop(server)
    engine.hung = True

    termination = await ended

    assert termination is not None
    assert (termination.reason, now() < 90) == (Reason.ENGINE_DEAD, True)


@pytest.mark.looptime
async def test_an_engine_that_hangs_when_all_is_done_does_not_matter() -> None:
    """Every answer was given."""
    engine = Ill()
    server, ended = a_running_server(engine)
    await asked_to_stop(server)
    engine.hung = True

    assert await ended is None


@pytest.mark.looptime
async def test_an_engine_that_does_not_end_is_left_behind() -> None:
    """Shortly after the time it was given, and the journal says so."""

    class Stubborn(ScriptedEngine):
        async def close(self, within: float) -> None:
            await asyncio.Event().wait()

    written = io.StringIO()
    await end(Stubborn(), Journal(written))

    assert CLOSE_SECONDS < now() < CLOSE_SECONDS + 5
    assert json.loads(written.getvalue())["event"] == "engine not closed"


async def test_an_engine_that_ends_with_an_error_spoils_no_end() -> None:
    """The journal has the place."""

    class Breaking(ScriptedEngine):
        async def close(self, within: float) -> None:
            raise ValueError

    written = io.StringIO()
    await end(Breaking(), Journal(written))

    assert json.loads(written.getvalue())["error"] == "ValueError"
