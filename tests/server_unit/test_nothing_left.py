"""Ten thousand requests and a thousand clients that leave: what the process carries is what it carried before."""

import asyncio
import gc
import json
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest

from qwen_server.engine.scripted import Script
from tests.server_unit.asgi import Bytes, Conversation, a_slow_server
from tests.server_unit.builders import KEY, a_chat, a_completion, a_server
from tests.server_unit.process import Burden, Process, a_process, burden
from tests.server_unit.raw import connected, read_answer
from tests.server_unit.waiting import eventually

REQUESTS, LEAVERS, CONNECTIONS = 10_000, 1_000, 16
WARMING = 1_000
"""Requests after which allocators, caches and code have what they keep."""
LEAK_KILOBYTES = 4_096
"""Less than half a kilobyte a request."""
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"

SHORT: list[tuple[str, object]] = [
    (CHAT, a_chat("one two")),
    (CHAT, a_chat("one two", stream=True, stream_options={"include_usage": True})),
    (CHAT, a_chat("one two", n=2, temperature=0)),
    (CHAT, a_chat("one two", logprobs=True)),
    (COMPLETIONS, a_completion(["one", "two"])),
    (COMPLETIONS, a_completion("one two", stream=True, echo=True)),
    (COMPLETIONS, a_completion("one two", best_of=2)),
    (CHAT, a_chat("one two", temperature=9)),
    (CHAT, a_chat("one " * 9_000, max_tokens=1)),
    (CHAT, {"model": "none"}),
    ("/nowhere", {}),
]
"""Successes and failures, streamed and whole, one of them heavy."""
LONG: list[tuple[str, object]] = [
    (CHAT, a_chat("word " * 300, stream=True)),
    (COMPLETIONS, a_completion(["word " * 300] * 2, stream=True)),
    (CHAT, a_chat("word " * 300)),
]


def as_bytes(path: str, body: object) -> bytes:
    """A whole request."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(content) + content


async def ask(process: Process, requests: Iterator[bytes]) -> int:
    """One request after the other on one connection; how many were answered."""
    answered = 0
    async with connected(process) as (reader, writer):
        for request in requests:
            writer.write(request)
            answered += (await read_answer(reader)).startswith(b"HTTP/1.1 ")
    return answered


async def leave(process: Process, requests: Iterator[bytes]) -> int:
    """Each request on a connection of its own, closed while its answer is under way; how many those were."""
    left = 0
    for number, request in enumerate(requests):
        async with connected(process) as (reader, writer):
            writer.write(request)
            await writer.drain()
            if b'"stream": true' in request and number % 2:
                await reader.readuntil(b"data: ")
            left += 1
    return left


async def under_way(process: Process, asks: int, leavers: int) -> tuple[int, int]:
    """So many requests in all, over several connections; how many were answered, and how many left."""
    short, long = cycle([as_bytes(*each) for each in SHORT]), cycle([as_bytes(*each) for each in LONG])
    asking = [ask(process, islice(short, asks // CONNECTIONS)) for _ in range(CONNECTIONS)]
    leaving = [leave(process, islice(long, leavers // CONNECTIONS)) for _ in range(CONNECTIONS)]
    found = await asyncio.gather(*asking, *leaving)
    return sum(found[:CONNECTIONS]), sum(found[CONNECTIONS:])


def running(process: Process) -> str:
    """The gauge of running requests, as it is told."""
    lines = httpx.get(process.management + "/metrics").text.splitlines()
    return next(line for line in lines if line.startswith("qwen_server_requests_running "))


async def settled(process: Process) -> Burden:
    """What it carries once nothing runs any more."""
    await eventually(lambda: running(process).endswith(" 0.0"), 60)
    return burden(process)


async def test_ten_thousand_requests_and_a_thousand_disconnects_leave_nothing_behind(tmp_path: Path) -> None:
    """Memory and file handles are where they were before, and no thread is a request's."""
    with a_process(tmp_path, token_seconds=0.002) as process:
        process.ready()
        await under_way(process, WARMING, WARMING // 10)
        before = await settled(process)

        counts = await under_way(process, REQUESTS, LEAVERS)
        after = await settled(process)
        await eventually(lambda: burden(process).files <= before.files, 30)  # a connection takes a moment to close

        assert counts == (REQUESTS // CONNECTIONS * CONNECTIONS, LEAVERS // CONNECTIONS * CONNECTIONS)
        assert after.threads - before.threads < CONNECTIONS  # pools that are bounded fill up
        assert after.kilobytes - before.kilobytes < LEAK_KILOBYTES
        assert [line["event"] for line in process.journal()] == ["starting", "ready"]


@pytest.mark.parametrize(("path", "body"), SHORT)
async def test_a_request_leaves_no_task_and_no_object_behind(path: str, body: object) -> None:
    """In the process itself: what a hundred more requests make is gone with them."""
    server, content = a_server(Script()), json.dumps(body).encode()
    counts = []
    for _ in range(3):
        for _ in range(100):
            await Bytes(server.app, path, content).begin().end()
        gc.collect()
        counts.append(len(gc.get_objects()))

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (server.lifecycle.running, server.engine.running) == (set(), 0)
    assert counts[2] - counts[1] < 100


@pytest.mark.parametrize(("path", "body"), LONG)
async def test_a_client_that_leaves_leaves_no_task_and_no_object_behind(path: str, body: object) -> None:
    """Each in the middle of its answer."""
    server, metronome, engine = a_slow_server()
    counts = []
    for _ in range(3):
        for _ in range(30):
            asked = metronome.total
            conversation = Conversation(server.app, path, body).begin()
            await metronome.asked(asked + 1)
            await conversation.leave()
        await asyncio.sleep(0)
        engine.aborted.clear()
        gc.collect()
        counts.append(len(gc.get_objects()))

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (server.lifecycle.running, engine.running) == (set(), 0)
    assert counts[2] - counts[1] < 30
