"""How long the event loop is held up, whatever else the machine does."""

import asyncio
import contextlib
import gc
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

BEAT_SECONDS = 0.001
ATTEMPTS = 4
YARD = json.dumps([{"role": "user", "content": "x", "numbers": [1, 2.5, None]}] * 4000)
YARD_SECONDS = 0.006
"""What reading that costs on the machine on which the bounds were set."""


@dataclass
class Lag:
    """The most CPU time, in seconds, that this process has used between two turns of the loop.

    Not the wall's: a machine that has other work is no fault of ours. Not the loop's own thread's alone: beside it,
    others hold Python's lock.
    """

    seconds: float = 0.0


@contextlib.asynccontextmanager
async def lag() -> AsyncIterator[Lag]:
    """Measure until the end of the block."""
    found = Lag()
    watching = asyncio.ensure_future(watch(found))
    try:
        yield found
    finally:
        watching.cancel()


async def watch(found: Lag) -> None:
    """Look at each turn of the loop. Runs until cancelled."""
    last = time.process_time()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        now = time.process_time()
        found.seconds, last = max(found.seconds, now - last), now


def slowness() -> float:
    """How many times slower than that machine this one is at the moment; 1 at least."""
    return max(1.0, min(read_yard() for _ in range(3)) / YARD_SECONDS)


def read_yard() -> float:
    """CPU time, in seconds, of reading and writing what is always the same."""
    began = time.process_time()
    sum(len(str(item)) for item in json.loads(YARD))
    return time.process_time() - began


async def least_lag(work: Callable[[], Awaitable[None]], enough: float) -> float:
    """The lag in the best of some attempts: what the work itself needs is in each of them.

    :param enough: seconds; no further attempt is made once one was as good.
    :return: seconds, as on the machine on which the bounds were set.
    """
    found = float("inf")
    gc.collect()
    gc.freeze()  # as the server does once it is up: what a test has gathered is no request's fault
    for _ in range(ATTEMPTS):
        async with lag() as measured:
            await work()
            await asyncio.sleep(2 * BEAT_SECONDS)
        found = min(found, measured.seconds / slowness())
        if found < enough:
            break
    gc.unfreeze()
    return found
