"""Connections that clients keep: once a server leaves, they are let go before anything on them is refused.

Whoever opens another one gets through the Service to a server that stays.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.server_unit.builders import AUTHORIZED, a_chat
from tests.server_unit.process import a_process
from tests.server_unit.raw import connected, read_answer
from tests.server_unit.test_leaving import request
from tests.server_unit.waiting import eventually

MODELS = b"GET /v1/models HTTP/1.1\r\nHost: h\r\nAuthorization: %s\r\n\r\n"
KNOWN, UNKNOWN = MODELS % AUTHORIZED["Authorization"].encode(), MODELS % b"Bearer nobody"
SAYS_SO = b"\r\nconnection: close\r\n"


async def test_what_is_answered_after_sigterm_is_the_last_on_its_connection(tmp_path: Path) -> None:
    """The request is taken, and its answer says that the connection ends; a refused key is told the same."""
    async with AsyncExitStack() as stack:
        process = stack.enter_context(a_process(tmp_path, "--endpoint-delay", "30"))
        process.ready()
        first, second = [await stack.enter_async_context(connected(process)) for _ in range(2)]
        for reader, writer in (first, second):
            writer.write(KNOWN)
            assert SAYS_SO not in await read_answer(reader)

        process.terminate()
        await eventually(lambda: bool(process.journal("draining")), within=10)
        first[1].write(KNOWN)
        second[1].write(UNKNOWN)
        answered, denied = await first[0].read(), await second[0].read()

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert denied.startswith(b"HTTP/1.1 401 ")
    assert [answer.count(SAYS_SO) for answer in (answered, denied)] == [1, 1]


async def test_no_connection_is_kept_until_requests_are_refused(tmp_path: Path) -> None:
    """An idle one ends when the time that endpoints need is over; behind an answer that began before, its own does."""
    async with AsyncExitStack() as stack:
        process = stack.enter_context(a_process(tmp_path, token_seconds=0.2))
        process.ready()
        idle, short, long = [await stack.enter_async_context(connected(process)) for _ in range(3)]
        idle[1].write(KNOWN)
        await read_answer(idle[0])
        for (reader, writer), words in ((short, 20), (long, 10_000)):
            writer.write(request(a_chat("word " * words, stream=True)))
            assert SAYS_SO not in await reader.readuntil(b"data: ")

        process.terminate()
        async with asyncio.timeout(30):
            silence, rest = await idle[0].read(), await short[0].read()
            more = await long[0].readuntil(b"data: ")

    assert (silence, rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n"), bool(more)) == (b"", True, True)
