"""One request whose every message the test sees and sends, for what an HTTP client hides."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from qwen_server.engine.scripted import Script, ScriptedEngine
from tests.server_unit.builders import KEY, AServer, Metronome, a_chat, a_server

CHAT = "/v1/chat/completions"


@dataclass
class Conversation:
    """A POST of JSON to an application. `sent` holds what came back so far, `offered` counts what was ever tried."""

    app: ASGIApp
    path: str
    body: object
    sent: list[Message] = field(default_factory=list)
    offered: int = 0
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
        """Take a part of the answer, as soon as the client reads; until then nothing of it is written."""
        async with self.changed:
            self.offered += 1
            self.changed.notify_all()
        await self.reading.wait()
        async with self.changed:
            self.sent.append(message)
            self.changed.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many messages have come."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.sent) >= count)

    async def until_offered(self, count: int) -> None:
        """Wait until the application has tried to send so many messages, whether the client reads or not."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.offered >= count)

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

    @property
    def error(self) -> dict[str, Any]:
        """What the envelope of the answer holds."""
        return dict(json.loads(self.text)["error"])


PIECE = 1 << 16
"""Bytes in which a listener hands a body on."""


@dataclass
class Bytes(Conversation):
    """The same for a body that is bytes already, which come in pieces."""

    body: bytes
    _next: int = 0

    async def receive(self) -> Message:
        """The next piece, then nothing until the client leaves."""
        begin, self._next = self._next, self._next + PIECE
        if begin and begin >= len(self.body):
            return await super().receive()
        await asyncio.sleep(0)
        more = self._next < len(self.body)
        self._asked = True
        return {"type": "http.request", "body": self.body[begin : self._next], "more_body": more}


def a_slow_server() -> tuple[AServer, Metronome, ScriptedEngine]:
    """A server whose engine gives a token a tick, the first after one tick."""
    metronome = Metronome()
    engine = ScriptedEngine(Script(token_seconds=1.0), sleep=metronome.sleep)
    return a_server(engine=engine), metronome, engine


def a_stream(server: AServer, content: str = "one two three") -> Conversation:
    """A streamed chat under way."""
    return Conversation(server.app, CHAT, a_chat(content, stream=True)).begin()
