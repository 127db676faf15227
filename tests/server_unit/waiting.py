"""Waiting for something outside of the test's control: a process, the file system. Nothing else may poll."""

import asyncio
import time
from collections.abc import Callable

PERIOD = 0.02


async def eventually(holds: Callable[[], bool], within: float) -> None:
    """Return as soon as it holds. Raises TimeoutError after so many seconds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - nobody outside of this process can set an event
            await asyncio.sleep(PERIOD)


def wait_until(holds: Callable[[], bool], within: float) -> None:
    """The same without a loop. Raises TimeoutError."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(PERIOD)
