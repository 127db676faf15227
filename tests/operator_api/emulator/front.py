"""The emulator's HTTP on a real socket: what processes and foreign clients talk to."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from aiohttp import web

from tests.operator_api.emulator.asking import Answer, HungUp, Request, understood
from tests.operator_api.emulator.forwarding import forward


class Answering(Protocol):
    """An emulator, as far as its front needs it."""

    ports: dict[str, int]

    async def answer(self, request: Request) -> Answer:
        """The answer to a request."""


@contextlib.asynccontextmanager
async def listening(server: Answering, port: int) -> AsyncIterator[str]:
    """Listen on the loopback address; the URL."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _handled(server, request)

    app = web.Application(client_max_size=8 * 2**20)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _handled(server: Answering, request: web.Request) -> web.StreamResponse:
    asked = Request(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        body=await request.read() if request.can_read_body else b"",
        content_type=request.content_type,
        token=request.headers.get("Authorization", "").removeprefix("Bearer ").strip(),
        agent=request.headers.get("User-Agent", ""),
    )
    try:
        answer = await server.answer(asked)
    except HungUp:
        _cut(request)
        return web.Response(status=503)
    if answer.status == 101:
        return await forward(request, server.ports.get(understood(asked).name))
    if answer.lines is None:
        return web.Response(
            status=answer.status, body=answer.body, content_type=answer.content_type, headers=answer.headers
        )
    return await _streamed(request, answer.lines)


async def _streamed(request: web.Request, lines: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    async with contextlib.aclosing(lines):
        with contextlib.suppress(ConnectionError):  # the client went away
            async for line in lines:
                await response.write(line)
    return response


def _cut(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()
