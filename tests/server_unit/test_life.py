"""Phases, health and probes: the pure judgements, and what the management port says of them."""

import asyncio
import json

import pytest

from qwen_server.drain import TRANSITIONS, Event, Lifecycle, Phase, following, refusal
from qwen_server.engine.base import EngineDead, ModelFacts, Progress, Stage
from qwen_server.engine.scripted import ScriptedEngine
from qwen_server.exchange import Exchange
from qwen_server.health import Condition, Pulse, condition, start_patience, watch_engine, watch_start
from qwen_server.management import PATHS, alive, load_progress, ready, started
from qwen_server.pace import Load
from qwen_server.settings import SILENT_SECONDS
from tests.server_unit.builders import AServer, a_server


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("phase", Phase)
def test_what_means_nothing_in_a_phase_changes_nothing(phase: Phase, event: Event) -> None:
    """Only the five moves of the table exist."""
    moved = following(phase, event)

    assert (moved is not phase) == ((phase, event) in TRANSITIONS)


def test_a_life_goes_through_all_phases() -> None:
    """From the first to the last."""
    lifecycle = Lifecycle()

    phases = [lifecycle.phase, *(lifecycle.advance(event) for event in Event)]

    assert phases == [Phase.STARTING, Phase.READY, Phase.LEAVING, Phase.DRAINING, Phase.STOPPED]


def test_nothing_leads_back() -> None:
    """Every move goes to a later phase."""
    order = list(Phase)

    assert all(order.index(after) > order.index(before) for (before, _), after in TRANSITIONS.items())


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        (Phase.STARTING, "model_loading"),
        (Phase.READY, None),
        (Phase.LEAVING, None),
        (Phase.DRAINING, "shutting_down"),
        (Phase.STOPPED, "shutting_down"),
    ],
)
def test_requests_are_taken_in_two_phases(phase: Phase, code: str | None) -> None:
    """Ready, and while endpoints notice that the server leaves."""
    refused = refusal(phase)

    assert (refused.kind.code if refused else None) == code


@pytest.mark.looptime
async def test_a_server_is_idle_when_its_last_request_has_left() -> None:
    """Waiting for that is bounded."""
    lifecycle, first, second = Lifecycle(), Exchange("1"), Exchange("2")
    empty = await lifecycle.idle(10)
    lifecycle.enter(first)
    lifecycle.enter(second)
    lifecycle.leave(first)
    busy = await lifecycle.idle(10)
    asyncio.get_running_loop().call_later(3, lifecycle.leave, second)
    left = await lifecycle.idle(10)

    assert (empty, busy, left) == (True, False, True)
    assert asyncio.get_running_loop().time() == pytest.approx(13)


@pytest.mark.parametrize(
    ("silence", "stall", "expected"),
    [
        (0, 600, Condition.LIVELY),
        (SILENT_SECONDS - 0.1, 600, Condition.LIVELY),
        (SILENT_SECONDS, 600, Condition.SILENT),
        (599, 600, Condition.SILENT),
        (600, 600, Condition.DEAD),
        (5, 4, Condition.DEAD),
    ],
)
def test_silence_is_judged_by_its_length(silence: float, stall: float, expected: Condition) -> None:
    """First not ready, much later dead."""
    assert condition(silence, stall) is expected


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("state", Condition)
def test_a_server_is_ready_only_with_a_lively_engine_in_its_ready_phase(phase: Phase, state: Condition) -> None:
    """Alive as long as the engine is not dead, or not up yet; started from the moment it is loaded."""
    assert (ready(phase, state)[0] == 200) == (phase is Phase.READY and state is Condition.LIVELY)
    assert (alive(phase, state)[0] == 200) == (state is not Condition.DEAD or phase is Phase.STARTING)
    assert (started(phase)[0] == 200) == (phase is not Phase.STARTING)


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        (Progress(Stage.PREPARING), None),
        (Progress(Stage.LOADING, 0, 1000), 0.0),
        (Progress(Stage.LOADING, 333, 1000), 33.3),
        (Progress(Stage.READY, 1000, 1000), 100.0),
    ],
)
def test_progress_is_bytes_and_a_percentage_of_known_bytes(progress: Progress, percent: float | None) -> None:
    """Never a guess."""
    _, body = load_progress(Phase.STARTING, progress)

    assert json.loads(body) == {
        "phase": "starting",
        "stage": progress.stage,
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "percent": percent,
        "seconds_left": None,
        "last_error": None,
        "measured": None,
    }


class Sick(ScriptedEngine):
    """An engine that answers pings for a while, then hangs or dies."""

    def __init__(self, good: int, error: Exception | None) -> None:
        super().__init__()
        self.good = good
        self.error = error

    async def ping(self) -> None:
        """Count down."""
        self.good -= 1
        if self.good >= 0:
            return
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


def a_pulse(stall_timeout: float) -> Pulse:
    """A pulse on the loop's own, simulated clock."""
    return Pulse(stall_timeout, asyncio.get_running_loop().time)


@pytest.mark.looptime
async def test_a_dead_engine_is_noticed_at_the_next_ping() -> None:
    """With the engine's own sentence."""
    pulse = a_pulse(600)

    why = await watch_engine(Sick(3, EngineDead("The engine core died.")), pulse)

    assert (why, pulse.condition()) == ("The engine core died.", Condition.DEAD)
    assert asyncio.get_running_loop().time() <= 2.0


@pytest.mark.looptime
async def test_a_hung_engine_is_silent_first_and_dead_at_the_stall_limit() -> None:
    """Not ready within ten seconds, alive until the limit."""
    pulse = a_pulse(600)
    watching = asyncio.ensure_future(watch_engine(Sick(4, None), pulse))

    await asyncio.sleep(5)
    early = pulse.condition()
    await asyncio.sleep(5.5)
    soon = pulse.condition()
    why = await watching

    assert (early, soon, pulse.condition()) == (Condition.LIVELY, Condition.SILENT, Condition.DEAD)
    assert why == "The engine gave no sign of life for 600 seconds; the server restarts."
    assert 600 <= asyncio.get_running_loop().time() <= 615


@pytest.mark.looptime
async def test_an_engine_too_busy_for_pings_lives_by_its_output() -> None:
    """A long prompt or a slow machine is no death."""
    pulse = a_pulse(60)
    watching = asyncio.ensure_future(watch_engine(Sick(0, None), pulse))

    for _ in range(100):
        await asyncio.sleep(7)
        pulse.beat()
    still = watching.done()
    watching.cancel()

    assert (still, pulse.condition()) == (False, Condition.LIVELY)


class Loading(ScriptedEngine):
    """An engine whose progress the test sets."""

    now = Progress(Stage.PREPARING)

    def progress(self) -> Progress:
        """What the test said."""
        return self.now


@pytest.mark.looptime
async def test_a_start_that_stands_still_is_given_up() -> None:
    """Counted from the last byte that came."""
    engine = Loading()
    watching = asyncio.ensure_future(watch_start(engine, 600, Load()))
    for done in range(1, 11):
        await asyncio.sleep(500)
        engine.now = Progress(Stage.LOADING, done, 100)

    why = await watching

    assert 5600 <= asyncio.get_running_loop().time() <= 5615
    assert "stood still at `loading weights`" in why


def test_a_start_without_counted_bytes_has_more_patience() -> None:
    """Because then only stages tell that it moves."""
    assert start_patience(Progress(Stage.LOADING), 600) == 3600
    assert start_patience(Progress(Stage.LOADING, 1, 2), 600) == 600


async def statuses(server: AServer) -> list[int]:
    """The three probes."""
    async with server.prober() as prober:
        return [(await prober.get(path)).status_code for path in ("/startupz", "/readyz", "/livez")]


async def test_probes_follow_the_life_of_the_server() -> None:
    """Before, while and after it serves."""
    server = a_server(loaded=False)
    states = [await statuses(server)]
    server.lifecycle.loaded(ModelFacts(context_length=1, architecture="A"))
    states.append(await statuses(server))
    server.lifecycle.advance(Event.TERMINATE)
    states.append(await statuses(server))
    server.pulse.dead = True
    states.append(await statuses(server))

    assert states == [[503, 503, 200], [200, 200, 200], [200, 503, 200], [200, 503, 503]]


async def test_a_long_load_is_no_death() -> None:
    """An engine that loads gives no sign of life for longer than the stall limit; once it is up it is lively."""
    server = a_server(loaded=False, stall_timeout=600)
    server.pulse.last -= 3600
    loading = await statuses(server)
    server.pulse.beat()
    server.lifecycle.loaded(ModelFacts(context_length=1, architecture="A"))

    assert (loading, await statuses(server)) == ([503, 503, 200], [200, 200, 200])


async def test_a_silent_engine_shows_in_health_and_readiness_but_not_in_liveness() -> None:
    """A client is told to come back."""
    server = a_server(stall_timeout=600)
    server.pulse.last -= SILENT_SECONDS + 1

    async with server.client() as client:
        health = await client.get("/health")

    assert await statuses(server) == [200, 503, 200]
    assert (health.status_code, health.headers["retry-after"]) == (503, "5")
    assert (health.json()["error"]["code"], health.json()["error"]["message"]) == (
        "engine_unresponsive",
        "The engine does not answer at the moment.",
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("HEAD", "/livez", 200),
        ("GET", "/progress", 200),
        ("GET", "/", 404),
        ("GET", "/v1/models", 404),
        ("POST", "/livez", 405),
        ("DELETE", "/metrics", 405),
    ],
)
async def test_the_management_port_answers_its_own_paths_alone(method: str, path: str, status: int) -> None:
    """Without a key, and without the API."""
    async with a_server().prober() as prober:
        answer = await prober.request(method, path)

    assert answer.status_code == status


@pytest.mark.parametrize("path", PATHS)
async def test_every_documented_path_of_the_management_port_is_answered(path: str) -> None:
    """The reference page lists these."""
    async with a_server().prober() as prober:
        assert (await prober.get(path)).status_code == 200


async def test_metrics_are_what_prometheus_reads() -> None:
    """With the content type it expects."""
    server = a_server()
    async with server.client() as client:
        await client.get("/health")
    async with server.prober() as prober:
        answer = await prober.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'qwen_server_requests_total{key="alice",route="/health",status="200"} 1.0' in answer.text
    assert "qwen_server_requests_running 0.0" in answer.text
