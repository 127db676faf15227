"""A stream of events over plain ASGI: headers once something is known, comments while nothing is, one end.

It must never buffer: what a slow reader has not taken stays with the engine, which merges it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from starlette.types import Send

from qwen_server.engine.base import Delta
from qwen_server.errors import ApiError

FIRST_OUTPUT_SECONDS = 10.0
"""How long an answer keeps the choice of its status; then headers go out and comments keep the connection."""
KEEP_ALIVE_SECONDS = 15.0

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
COMMENT = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"

Steps = AsyncGenerator[Sequence[Delta], None]


def error_event(error: ApiError) -> bytes:
    """An error in a stream that has begun: the same envelope, as an event."""
    return b"data: " + error.envelope() + b"\n\n"


@dataclass(slots=True)
class EventStream:
    """One answer as a stream of events."""

    send: Send
    started: bool = False
    finished: bool = False
    _now: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)
    _last_write: float = 0.0
    _writing: bool = False
    _timer: asyncio.TimerHandle | None = None
    _comment: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Send the headers; from now on the connection is kept alive."""
        await self.send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        self.started = True
        self._last_write = self._now()
        self._watch_silence()

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send one piece, the headers before the first one, and close with the last one.

        A send waits for the reader before it writes: one that is cancelled meanwhile has written nothing.
        """
        if not self.started:
            await self.start()
        if last:
            self.close()
        self._writing = True
        await self.send({"type": "http.response.body", "body": data, "more_body": not last})
        self._writing, self.finished = False, last
        self._last_write = self._now()

    def comment(self) -> None:
        """Show that the stream lives, behind the headers if they have not gone."""
        self._comment = asyncio.get_running_loop().create_task(self.write(COMMENT))

    async def commented(self) -> None:
        """Wait for a comment that is being written: nothing else may go out within it, above all no second head."""
        if self._comment is not None:
            await self._comment

    def close(self) -> None:
        """No more comments."""
        for pending in (self._timer, self._comment):
            if pending is not None:
                pending.cancel()

    def _watch_silence(self) -> None:
        """Look again when the present silence would have lasted too long; costs nothing while text flows."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._last_write >= KEEP_ALIVE_SECONDS and not self._writing:
            self.comment()
            self._last_write = loop.time()
        due = self._last_write + KEEP_ALIVE_SECONDS
        self._timer = loop.call_at(due if due > loop.time() else loop.time() + KEEP_ALIVE_SECONDS, self._watch_silence)


async def first_step(steps: Steps, stream: EventStream) -> Sequence[Delta]:
    """The engine's first output. Raises whatever the engine refuses with, before the headers if it does so in time."""
    patience = asyncio.get_running_loop().call_later(FIRST_OUTPUT_SECONDS, stream.comment)
    try:
        first = await anext(steps)
    finally:
        patience.cancel()
    await stream.commented()
    return first
