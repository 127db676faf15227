"""How long a load will still take is told from what was counted, and not at all where nothing tells it."""

import asyncio
from collections.abc import Sequence

import pytest

from qwen_server.engine.base import Progress, Stage
from qwen_server.engine.scripted import ScriptedEngine
from qwen_server.health import watch_start
from qwen_server.pace import Count, Load, seconds_left
from tests.server_unit.builders import a_server

STEADY = [Count(at, 100 * at) for at in (1, 2, 3, 4)]
SLOWING = [Count(1, 1000), Count(10, 9000), Count(50, 9100), Count(90, 9200)]


@pytest.mark.parametrize(
    ("counts", "progress", "now", "expected"),
    [
        ([], Progress(Stage.PREPARING), 10, None),
        ([], Progress(Stage.LOADING, 0, 1000), 10, None),
        ([Count(10, 100)], Progress(Stage.LOADING, 100, 1000), 10, None),
        ([Count(10, 100)], Progress(Stage.LOADING, 100, 1000), 12, None),
        ([Count(10, 100)], Progress(Stage.LOADING, 200, 1000), 12, 16.0),
        (STEADY, Progress(Stage.LOADING, 400, 1000), 4, 6.0),
        (STEADY, Progress(Stage.LOADING, 400, 1000), 7, 12.0),
        (STEADY, Progress(Stage.LOADING, 400, 1000), 100, None),
        (STEADY, Progress(Stage.LOADING, 400, None), 4, None),
        (STEADY, Progress(Stage.LOADING, 1000, 1000), 10, None),
        (STEADY, Progress(Stage.WARMING, 1000, 1000), 10, None),
        (STEADY, Progress(Stage.READY, 1000, 1000), 10, 0.0),
        (SLOWING, Progress(Stage.LOADING, 9200, 10_000), 90, 320.0),
    ],
    ids=[
        "nothing begun",
        "nothing counted",
        "one count",
        "one count, and time",
        "a count, and bytes since",
        "a steady pace",
        "a pause makes it longer",
        "it stands still",
        "an unknown size",
        "all weights are read",
        "what comes after is not measured",
        "nothing is left",
        "only the last half minute counts",
    ],
)
def test_what_is_left_is_told_from_bytes_and_their_times(
    counts: Sequence[Count], progress: Progress, now: float, expected: float | None
) -> None:
    """Seconds, or nothing."""
    assert seconds_left(counts, progress, now) == expected


def test_only_changes_are_counted_and_the_last_error_stays() -> None:
    """No more than a window of them, and the one before it."""
    load = Load()
    for second in range(1000):
        load.saw(Progress(Stage.LOADING, second // 2, 1000, "It broke." if second == 500 else None), float(second))

    assert load.counts[0] == Count(966.0, 483)
    assert (load.counts[-1], load.last_error) == (Count(998.0, 499), "It broke.")


class Loading(ScriptedEngine):
    """An engine that reads ten bytes a second, and once complains."""

    complaint: str | None = None

    def progress(self) -> Progress:
        """By the loop's own clock."""
        done = int(asyncio.get_running_loop().time()) * 10
        return Progress(Stage.LOADING, done, 1000, self.complaint)


@pytest.mark.looptime
async def test_the_management_port_tells_how_long_the_load_will_take() -> None:
    """At ten bytes a second, 900 are left after ten."""
    engine = Loading()
    server = a_server(engine=engine, loaded=False)
    watching = asyncio.ensure_future(watch_start(engine, 600, server.lifecycle.load))
    async with server.prober() as prober:
        first = (await prober.get("/progress")).json()
        await asyncio.sleep(10.01)
        engine.complaint = "RuntimeError: no room"
        then = (await prober.get("/progress")).json()
    watching.cancel()

    assert (first["seconds_left"], first["last_error"]) == (None, None)
    assert then == {
        "phase": "starting",
        "stage": "loading weights",
        "bytes_done": 100,
        "bytes_total": 1000,
        "percent": 10.0,
        "seconds_left": pytest.approx(90, abs=1),
        "last_error": "RuntimeError: no room",
        "measured": None,
    }


def test_a_load_lasts_from_its_first_byte_to_its_last() -> None:
    """As far as looks tell; unknown until then."""
    load = Load()
    for second, done in enumerate((0, 40, 80)):
        load.saw(Progress(Stage.LOADING, done, 160), float(second))
    assert load.seconds is None

    load.saw(Progress(Stage.LOADING, 160, 160), 7.5)
    load.saw(Progress(Stage.WARMING, 160, 160), 9.0)

    assert load.seconds == 6.5
