"""Blocking work beside the event loop, in threads that the process's end does not wait for.

It must never be used for work on the path of a request.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Run blocking work and wait for it; cancelling the wait leaves the work running."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        # vLLM keeps this frame, by a traceback; the result is taken out of its reach, or it would be kept for good.
        try:
            results.append(work())
        except BaseException as error:  # carried over to whoever waits
            errors.append(error)
        with contextlib.suppress(RuntimeError):  # the loop may be gone
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="engine", daemon=True).start()
    await done.wait()
    if errors:
        raise errors.pop()
    return results.pop()
