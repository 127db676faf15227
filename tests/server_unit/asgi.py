"""One request whose every message the test sees and sends, for what an HTTP client hides."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from tests.server_unit.builders import KEY


@dataclass
class Conversation:
    """A POST of JSON to an application. `sent` holds what came back so far."""

    app: ASGIApp
    path: str
    body: object
    sent: list[Message] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: bool = False
    _task: asyncio.Task[None] | None = None

    def begin(self) -> "Conversation":
        """Send the request; answers come in while the test goes on."""
        self.reading.set()
        self._task = asyncio.ensure_future(self.app(self.scope(), self.receive, self.send))
        return self

    def scope(self) -> dict[str, Any]:
        """The request's head."""
        headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-type", b"application/json")]
        return {"type": "http", "method": "POST", "path": self.path, "headers": headers, "query_string": b""}

    async def receive(self) -> Message:
        """The body at once, then nothing until the client leaves."""
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": json.dumps(self.body).encode(), "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the answer, as soon as the client reads."""
        await self.reading.wait()
        async with self.changed:
            self.sent.append(message)
            self.changed.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many messages have come."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.sent) >= count)

    async def end(self) -> None:
        """Wait until the application has returned."""
        assert self._task is not None
        await self._task

    async def leave(self) -> None:
        """Close the connection and wait until the application has noticed."""
        self.gone.set()
        await self.end()

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.sent[0]["status"])

    @property
    def text(self) -> str:
        """Everything of the body so far."""
        return b"".join(message["body"] for message in self.sent[1:]).decode()
