"""Heavy work of a request beside the event loop, so that no request holds up another one's tokens.

One piece of work at a time: two threads that want Python's lock would keep it from the loop for twice as long. It must
never be given work that holds the lock for long in one go, and never for a request that is light (docs/decisions/0011).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

LIGHT_BYTES = 32 * 1024
"""Up to here the worst body that there is takes 5 ms; a change of threads takes 0.1 ms."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Beside:
    """Where heavy work is done. Its thread begins with the first of it."""

    light: int = LIGHT_BYTES
    """Of what is done here: bytes, or whatever else its size is told in."""
    thread: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "heavy"))

    async def done(self, size: int, work: Callable[[], Result]) -> Result:
        """What the work gives or raises; here if something of this size is light, else beside the loop."""
        if size <= self.light:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)
