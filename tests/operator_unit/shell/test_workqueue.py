"""The queue in simulated time: merging, one worker a key, back-off, look-again, edits first."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from qwen_operator.keys import Key
from qwen_operator.workqueue import FIRST_DELAY, LONGEST_DELAY, QUIET, REST, Unfinished, WorkQueue

pytestmark = pytest.mark.looptime

A, B, C = Key("team", "a"), Key("team", "b"), Key("team", "c")
MIDDLE = 0.5
"""A spread that adds and takes nothing."""


def now() -> float:
    """The loop's simulated time."""
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def working(attempt: Callable[[Key], Awaitable[float | None]], workers: int = 2) -> AsyncIterator[WorkQueue]:
    """A queue at work."""
    queue = WorkQueue(attempt, spread=lambda: MIDDLE)
    task = asyncio.create_task(queue.run(workers))
    queue.open()
    try:
        yield queue
    finally:
        queue.close()
        await task


async def test_a_burst_of_wakeups_is_one_attempt() -> None:
    """A hundred events for one model before a worker is free cost one reconcile."""
    tried: list[Key] = []

    async def attempt(key: Key) -> None:
        tried.append(key)

    async with working(attempt) as queue:
        for _ in range(100):
            queue.add(A)
        await asyncio.sleep(1)
    assert tried == [A]


async def test_a_key_is_never_worked_on_twice_at_once_and_a_wakeup_meanwhile_is_kept() -> None:
    """What happens during a reconcile leads to exactly one more, after it."""
    spans: list[tuple[float, float]] = []

    async def attempt(_: Key) -> None:
        started = now()
        await asyncio.sleep(10)
        spans.append((started, now()))

    async with working(attempt, workers=4) as queue:
        queue.add(A)
        await asyncio.sleep(5)
        for _ in range(10):
            queue.add(A)
        await asyncio.sleep(100)
    assert spans == [(0, 10), (10, 20)]


async def test_a_hundred_events_in_a_tenth_of_a_second_cost_two_looks() -> None:
    """However short a look is, and however the events are spread."""
    tried: list[float] = []

    async def attempt(_: Key) -> None:
        tried.append(now())
        await asyncio.sleep(0.002)

    async with working(attempt) as queue:
        for _ in range(100):
            queue.add(A)
            await asyncio.sleep(0.0009)
        idle = [queue.idle]
        await asyncio.sleep(10)
        idle.append(queue.idle)
    assert tried == pytest.approx([0, REST])
    assert idle == [False, True]


async def test_an_edit_does_not_wait_for_a_key_to_rest() -> None:
    """And the look that it brings is the answer to what waited."""
    tried: list[float] = []

    async def attempt(_: Key) -> None:
        tried.append(now())

    async with working(attempt) as queue:
        queue.add(A)
        await asyncio.sleep(0.01)
        queue.add(A)
        await asyncio.sleep(0.01)
        queue.add(A, edited=True)
        await asyncio.sleep(10)
    assert tried == pytest.approx([0, 0.02])


async def test_different_keys_are_worked_on_side_by_side() -> None:
    """One slow model does not hold up another."""
    ended: dict[Key, float] = {}

    async def attempt(key: Key) -> None:
        await asyncio.sleep(10 if key == A else 1)
        ended[key] = now()

    async with working(attempt) as queue:
        queue.add(A)
        queue.add(B)
        await asyncio.sleep(20)
    assert ended == {A: 10, B: 1}


async def test_failures_back_off_from_a_tenth_of_a_second_to_five_minutes() -> None:
    """Each failure in a row doubles the pause, up to the longest one."""
    tried: list[float] = []

    async def attempt(_: Key) -> None:
        tried.append(now())
        raise Unfinished

    async with working(attempt) as queue:
        queue.add(A)
        await asyncio.sleep(3600)
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert pauses[:4] == pytest.approx([FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY])
    assert pauses[-1] == pytest.approx(LONGEST_DELAY)


async def test_success_ends_the_back_off() -> None:
    """After a success the next failure waits the first delay again."""
    tried: list[float] = []
    bad = [True, True, True, False, True, False]

    async def attempt(_: Key) -> None:
        tried.append(now())
        if bad[len(tried) - 1]:
            raise Unfinished

    async with working(attempt) as queue:
        queue.add(A)
        await asyncio.sleep(10)
        queue.add(A)
        await asyncio.sleep(10)
    assert tried[5] - tried[4] == pytest.approx(FIRST_DELAY)


async def test_an_edit_ends_a_back_off_at_once_and_other_events_wait_for_the_quiet_minute() -> None:
    """Who mends a spec need not wait; a failing model's own children cannot drive it round and round."""
    tried: list[float] = []

    async def attempt(_: Key) -> None:
        tried.append(now())
        raise Unfinished

    async with working(attempt) as queue:
        queue.add(A)
        await asyncio.sleep(1000)
        tried.clear()
        for _ in range(300):
            queue.add(A)
            await asyncio.sleep(1)
        assert len(tried) <= 300 / QUIET + 1
        tried.clear()
        queue.add(A, edited=True)
        await asyncio.sleep(0.01)
        assert len(tried) == 1


async def test_look_again_brings_a_key_back_after_the_seconds_asked_for() -> None:
    """An attempt may ask to be repeated later; None asks for nothing."""
    tried: list[float] = []

    async def attempt(_: Key) -> float | None:
        tried.append(now())
        return 30.0 if len(tried) < 3 else None

    async with working(attempt) as queue:
        queue.add(A)
        await asyncio.sleep(1000)
    assert tried == [0, 30, 60]


async def test_an_edit_goes_ahead_of_a_thousand_resyncs() -> None:
    """A person who edits a spec does not wait behind a resync of everything, even if the key stood in that line."""
    tried: list[Key] = []

    async def attempt(key: Key) -> None:
        tried.append(key)
        await asyncio.sleep(1)

    async with working(attempt, workers=1) as queue:
        for number in range(1000):
            queue.add(Key("team", f"model-{number}"))
        queue.add(Key("team", "model-999"), edited=True)
        queue.add(C, edited=True)
        await asyncio.sleep(2000)
    assert tried[:2] == [Key("team", "model-999"), C]
    assert len(tried) == 1001


async def test_an_unforeseen_error_costs_that_key_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A bug is logged with its traceback, counted, and tried again; other keys go on."""
    done: list[Key] = []

    async def attempt(key: Key) -> None:
        if key == A and not done:
            raise ZeroDivisionError
        done.append(key)

    async with working(attempt) as queue:
        queue.add(A)
        queue.add(B)
        await asyncio.sleep(10)
        assert queue.bugs == 1
    assert done == [B, A]
    assert "team/a: an unforeseen error" in caplog.text


async def test_close_lets_a_running_attempt_end_and_starts_no_other() -> None:
    """At a clean stop no write is cut in half."""
    ended: list[Key] = []

    async def attempt(key: Key) -> None:
        await asyncio.sleep(10)
        ended.append(key)

    async with working(attempt, workers=1) as queue:
        queue.add(A)
        queue.add(B)
        await asyncio.sleep(1)
    assert ended == [A]


async def test_the_oldest_wait_is_how_long_a_key_has_stood_in_line() -> None:
    """Liveness reads it: a key that nobody serves shows."""

    async def attempt(_: Key) -> None:
        await asyncio.sleep(100)

    async with working(attempt, workers=1) as queue:
        queue.add(A)
        queue.add(B)
        await asyncio.sleep(40)
        assert (queue.depth, queue.oldest_wait()) == (1, 40)


@pytest.mark.looptime
async def test_each_attempt_is_told_with_its_result_and_its_time() -> None:
    """So that a metric shows what goes well, what is tried again, and what is a defect."""
    told: list[tuple[str, float]] = []
    ends: dict[str, BaseException | None] = {"well": None, "again": Unfinished(), "badly": RuntimeError("a defect")}

    async def attempt(key: Key) -> float | None:
        await asyncio.sleep(2)
        if (end := ends[key.name]) is not None:
            raise end
        return None

    queue = WorkQueue(attempt, ended=lambda result, seconds: told.append((result, seconds)))
    for name in ends:
        queue.add(Key("team", name))
    queue.open()
    running = asyncio.create_task(queue.run(1))
    await asyncio.sleep(6.01)
    queue.close()
    running.cancel()

    assert told == [("settled", 2.0), ("unfinished", 2.0), ("defect", 2.0)]
