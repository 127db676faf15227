"""One request and its answer as the layers of the application see it: a typed record instead of a bag on the scope.

It must never hold content, a key or a client's address.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.types import Receive, Scope

from qwen_server.errors import ENGINE_DEAD, INTERRUPTED, ApiError, Kind


class Interruption(StrEnum):
    """Why an answer was not finished."""

    CLIENT_GONE = "client gone"
    DEADLINE = "drain deadline"
    ENGINE_DEAD = "engine dead"


class ClientGone(Exception):  # noqa: N818 - names what happened
    """Nobody listens any more: there is nothing to answer."""


ANSWERS: dict[Interruption, Kind] = {Interruption.DEADLINE: INTERRUPTED, Interruption.ENGINE_DEAD: ENGINE_DEAD}


@dataclass(slots=True, eq=False)
class Exchange:
    """What is known of one request; layers fill it in as they learn it."""

    request_id: str
    task: asyncio.Task[None] | None = None
    route: str = "other"
    key_name: str = ""
    status: int = 0
    interruption: Interruption | None = None
    prompt_tokens: int = 0
    """Tokens that the engine was given."""
    completion_tokens: int = 0
    began: float = field(default_factory=time.perf_counter)
    first_output: float | None = None
    """When a stream had its first output from the engine, on the clock of `began`."""

    def interrupt(self, why: Interruption) -> None:
        """End the answer early: wakes whatever the request waits for."""
        if self.interruption is None and self.task is not None:
            self.interruption = why
            self.task.cancel()

    @contextmanager
    def attended(self, receive: Receive) -> Iterator[None]:
        """While the engine works, watch for a client that leaves.

        Raises ClientGone or ApiError instead of the cancellation that an interruption arrives as.
        """
        watch = asyncio.get_running_loop().create_task(self._watch(receive))
        try:
            yield
        except asyncio.CancelledError:
            if self.interruption is None:
                raise
            raise self.answer() from None
        finally:
            watch.cancel()

    async def _watch(self, receive: Receive) -> None:
        """Interrupt when the client is gone; the body has been read, so nothing else can come."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.interrupt(Interruption.CLIENT_GONE)

    def answer(self) -> Exception:
        """What the interruption means to the answer; the task is no longer being cancelled."""
        if self.task is not None:
            self.task.uncancel()
        kind = ANSWERS.get(self.interruption) if self.interruption else None
        return ApiError(kind) if kind else ClientGone()


def exchange(scope: Scope) -> Exchange:
    """The record of this request, put there by the outermost layer."""
    found = scope["exchange"]
    assert isinstance(found, Exchange)  # noqa: S101 - narrows the one untyped place
    return found
