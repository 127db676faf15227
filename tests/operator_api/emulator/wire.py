"""The way from a client to the emulator within one process: the real client, its real bytes, and no socket.

So time can be simulated, thousands of runs fit into a minute, and a process can be cut off as if it was killed.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler

from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.asking import Answer, HungUp, Request

REASONS = {200: "OK", 201: "Created"}


class Wire(aiohttp.BaseConnector):
    """Connections of one client.

    :param latency: seconds that a request or an answer is on its way.
    :param name: of the process, which its requests bear behind the program's own name.
    """

    def __init__(self, emulator: Emulator, latency: Callable[[], float] = lambda: 0.0, name: str = "") -> None:
        super().__init__(limit=0)
        self.name = name
        self.emulator = emulator
        self.latency = latency
        self.alive = True
        self._open: set[_Connection] = set()

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    def cut(self) -> None:
        """From now on nothing of this client arrives, and nothing reaches it, as when its process is killed."""
        self.alive = False
        self.hang_up()

    def hang_up(self) -> None:
        """Break every open connection."""
        for connection in tuple(self._open):
            connection.abort()

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:  # noqa: ASYNC109
        await asyncio.sleep(self.latency())
        if not self.alive:
            raise ConnectionRefusedError("the process is dead")
        protocol: ResponseHandler = self._factory()
        connection = _Connection(self, protocol)
        self._open.add(connection)
        protocol.connection_made(connection)
        return protocol

    def gone(self, connection: "_Connection") -> None:
        """A connection has ended."""
        self._open.discard(connection)


class _Connection(asyncio.Transport):
    """Both ends of a connection: what the client writes is answered."""

    def __init__(self, wire: Wire, protocol: ResponseHandler) -> None:
        super().__init__()
        self._wire = wire
        self._protocol = protocol
        self._received = bytearray()
        self._closed = False
        self._serving: asyncio.Task[None] | None = None

    def write(self, data: Any) -> None:
        self._received += data
        if (request := _request(self._received, self._wire.name)) and not self._closed:
            self._received.clear()
            # The server is not part of the client's process, so nothing of its context is inherited.
            loop = asyncio.get_running_loop()
            self._serving = loop.create_task(self._serve(request), context=contextvars.Context())

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._wire.gone(self)
        if self._serving is not None:
            self._serving.cancel()
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        """The client is slow; what it is sent stays in memory."""

    def resume_reading(self) -> None:
        """It reads again."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    async def _serve(self, request: Request) -> None:
        await asyncio.sleep(self._wire.latency())
        try:
            answer = await self._wire.emulator.answer(request)
            await asyncio.sleep(self._wire.latency())
            await self._send(answer)
        except HungUp:
            self._serving = None
            self.close()

    async def _send(self, answer: Answer) -> None:
        head = f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Refused')}\r\n"
        head += f"Content-Type: {answer.content_type}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        if answer.lines is None:
            self._tell(f"{head}Content-Length: {len(answer.body)}\r\n\r\n".encode() + answer.body)
            return
        self._tell(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        async with contextlib.aclosing(answer.lines) as lines:
            async for line in lines:
                self._tell(b"%x\r\n%s\r\n" % (len(line), line))
        self._tell(b"0\r\n\r\n")

    def _tell(self, data: bytes) -> None:
        if not self._closed:
            self._protocol.data_received(data)


def _request(received: bytearray, name: str) -> Request | None:
    """The request, once all of it is there."""
    head, found, body = bytes(received).partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if len(body) < int(headers.get("content-length", 0)):
        return None
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return Request(
        method=method,
        path=unquote(parts.path),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        body=body,
        content_type=headers.get("content-type", ""),
        token=headers.get("authorization", "").removeprefix("Bearer ").strip(),
        agent=f"{headers.get('user-agent', '')}/{name}".removesuffix("/"),
    )
