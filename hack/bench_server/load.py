"""Requests from many clients at once, over raw connections: on two cores a client must cost far less than a server.

What comes back is counted, not parsed: `"choices":[{` stands once in each chunk of either server.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

CHUNK = b'"choices":[{'
EVENT = b"data: "
OKAY = b"HTTP/1.1 200"


@dataclass(slots=True)
class Reply:
    """What one client saw. Seconds are since its request."""

    first: float = 0.0
    """Until the first event, or of a whole reply until all of it."""
    last: float = 0.0
    chunks: int = 0
    longest: float = 0.0
    """Between two pieces of the reply."""
    size: int = 0


class Client(asyncio.Protocol):
    """One connection with one request, closed by the server behind its answer."""

    def __init__(self, request: bytes) -> None:
        self.reply, self.status = Reply(), b""
        self.done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._request = request
        self._began = self._before = time.perf_counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask at once."""
        cast("asyncio.WriteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count."""
        reply, now = self.reply, time.perf_counter()
        if not self.status:
            self.status = data[: len(OKAY)]
        if reply.first:
            reply.longest = max(reply.longest, now - self._before)
        elif EVENT in data:
            reply.first = now - self._began
        self._before = now
        reply.chunks += data.count(CHUNK)
        reply.size += len(data)

    def connection_lost(self, error: Exception | None) -> None:
        """The answer is whole, or this was none."""
        reply = self.reply
        reply.last = time.perf_counter() - self._began
        reply.first = reply.first or reply.last
        if error is None and self.status == OKAY:
            self.done.set_result(reply)
        else:
            self.done.set_exception(ConnectionError(f"The server answered {self.status!r} ({error})."))


def request(path: str, key: str, body: Mapping[str, object]) -> bytes:
    """A whole HTTP request."""
    sent = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n".encode() + sent


async def ask(port: int, sent: bytes) -> Reply:
    """One request. Raises ConnectionError for anything but a whole answer with status 200."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(sent), "127.0.0.1", port)
    return await client.done


async def load(port: int, requests: Sequence[bytes], at_once: int) -> list[Reply]:
    """All requests, so many of them at once."""
    free = asyncio.Semaphore(at_once)

    async def one(sent: bytes) -> Reply:
        async with free:
            return await ask(port, sent)

    return await asyncio.gather(*[one(sent) for sent in requests])
