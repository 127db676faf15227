"""SIGSTOP within one event loop: the tasks of a paused process take no step until it goes on, while its clock runs.

Timers and bytes are still received, as a stopped process' kernel does for it; nobody acts on them.
"""

import asyncio
import contextvars
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


class Pause:
    """Whether a process may take steps."""

    def __init__(self) -> None:
        self._goes_on = asyncio.Event()
        self._goes_on.set()

    @property
    def paused(self) -> bool:
        """Whether it is stopped."""
        return not self._goes_on.is_set()

    def stop(self) -> None:
        """No step from now on."""
        self._goes_on.clear()

    def go_on(self) -> None:
        """Steps again."""
        self._goes_on.set()

    async def wait(self) -> None:
        """Wait until steps may be taken."""
        await self._goes_on.wait()


present: contextvars.ContextVar[Pause | None] = contextvars.ContextVar("process", default=None)
"""The process that a task belongs to; tasks inherit it from whoever starts them."""


def task(loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> asyncio.Task[Any]:
    """A task factory: each step of a process' task waits while the process is stopped."""
    context = how.get("context")
    pause = context.get(present) if context is not None else present.get()
    return asyncio.Task(work if pause is None else _stepped(work, pause), loop=loop, **how)


async def _stepped(work: Coroutine[Any, Any, Any], pause: Pause) -> Any:
    return await _drive(work, pause)


@coroutine
def _drive(work: Coroutine[Any, Any, Any], pause: Pause) -> Generator[Any, Any, Any]:
    """Take a coroutine's steps one by one."""
    error: BaseException | None = None
    try:
        while True:
            while pause.paused:
                try:
                    yield from pause.wait().__await__()
                except BaseException as late:
                    error = late
            try:
                waited_for = work.throw(error) if error else work.send(None)
            except StopIteration as end:
                return end.value
            error = None
            try:
                yield waited_for
            except BaseException as thrown:
                error = thrown
    finally:
        work.close()
