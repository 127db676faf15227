"""A port of this machine that leads to a model's replicas, whichever of them is there.

Why it exists: kubectl's own port-forward ends with its pod; here each connection finds a pod anew, so that a restart is
an answer 503 for a moment and nothing to type. It must never look at what passes through.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

from aiohttp import ClientWebSocketResponse, WSMsgType

from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import Ending, Mistake
from qwen_operator.core import kinds, names, pods
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import Forbidden, Refusal

PROTOCOL = "v4.channel.k8s.io"
"""Each message begins with its channel: 0 is the port's bytes, 1 is why it broke (kubelet and all CRI runtimes)."""
DATA, ERROR = b"\x00", b"\x01"
CHUNK = 64 * 1024
RETRY_AFTER = 5
"""Seconds after which a client may ask again."""


class Tunnel:
    """Connections to one model.

    :param tell: is told when another pod answers, or none does.
    """

    def __init__(self, access: Access, model: str, tell: Callable[[str], None]) -> None:
        self._access = access
        self._model = model
        self._tell = tell
        self._told = ""

    @contextlib.asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Listen on the loopback address while entered; gives the port.

        :param port: 0 takes a free one.
        :raises Mistake: it is taken.
        """
        try:
            server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        except OSError as error:
            raise Mistake(
                f"Port {port} of this machine can't be used ({error.strerror}); --port names another."
            ) from None
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._lead(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left
        finally:
            writer.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            pod = await self._pod()
            if pod is None:
                await self._refuse(reader, writer, f"No replica of {self._model} runs now.")
                return
            path = f"{kinds.POD.path(self._access.namespace, pod)}/portforward"
            async with self._access.transport.channel(path, {"ports": str(names.API_PORT)}, PROTOCOL) as channel:
                self._say(f"Pod {pod} answers.")
                broken = await _passed(reader, writer, channel)
            if broken:
                await self._refuse(reader, writer, f"Pod {pod} of {self._model} does not answer.")
        except Forbidden:
            where = f"in namespace {self._access.namespace}"
            await self._refuse(reader, writer, f"You may not get and create pods/portforward {where}.")
        except (Refusal, Ending) as reason:
            await self._refuse(reader, writer, str(reason))

    async def _pod(self) -> str | None:
        """A pod that answers, else the youngest one that runs: its server says itself how far it is."""
        selector = ",".join(f"{label}={value}" for label, value in names.selector(self._model).items())
        found = await self._access.all(kinds.POD, selector=selector)
        best = max(filter(_runs, found), key=_preference, default=None)
        return pods.name(best) if best else None

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sentence: str) -> None:
        """An answer as the server itself would give while it loads: clients wait and ask again."""
        self._say(sentence)
        with contextlib.suppress(TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            async with asyncio.timeout(1):  # a request that is not read is reset before its answer is
                await reader.readuntil(b"\r\n\r\n")
        remedy = f"kubectl qwen why {self._model} -n {self._access.namespace} tells why."
        error = {"message": f"{sentence} {remedy}", "type": "server_error", "param": None, "code": "not_ready"}
        body = json.dumps({"error": error}).encode()
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Retry-After: {RETRY_AFTER}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()

    def _say(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self._tell(sentence)


def _runs(pod: Manifest) -> bool:
    return pods.running(pod) and not pods.finished(pod)


def _preference(pod: Manifest) -> tuple[bool, bool, str]:
    return pods.ready(pod), not pods.leaving(pod), pods.started_at(pod)


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, channel: ClientWebSocketResponse) -> bool:
    """Pass bytes both ways until one side ends; returns whether it broke before the pod had said anything."""
    up = asyncio.create_task(_up(reader, channel))
    down = asyncio.create_task(_down(channel, writer))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        return down.done() and not down.result()
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def _up(reader: asyncio.StreamReader, channel: ClientWebSocketResponse) -> None:
    while chunk := await reader.read(CHUNK):
        await channel.send_bytes(DATA + chunk)


async def _down(channel: ClientWebSocketResponse, writer: asyncio.StreamWriter) -> bool:
    """Whether anything came; the first message of each channel only names the port."""
    named: set[bytes] = set()
    came = False
    async for message in channel:
        if message.type is not WSMsgType.BINARY:
            continue
        at, content = message.data[:1], message.data[1:]
        if at not in named:
            named.add(at)
            continue
        if at == ERROR:
            return came
        writer.write(content)
        await writer.drain()
        came = True
    return came
