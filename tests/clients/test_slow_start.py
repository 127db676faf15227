"""A prompt that the model reads for long: comments keep the connection open, and no client takes them for an answer."""

import asyncio
from pathlib import Path

import httpx

from qwen_server.sse import COMMENT, FIRST_OUTPUT_SECONDS
from tests.clients.node_programs import passes
from tests.clients.servers import HELLO, an_async_client
from tests.server_unit.builders import AUTHORIZED, a_chat
from tests.server_unit.process import Process, a_process


async def told_to_python(process: Process) -> str | None:
    """What the official client has gathered."""
    async with (
        an_async_client(process) as client,
        client.chat.completions.stream(model="qwen3", messages=[{"role": "user", "content": HELLO}]) as stream,
    ):
        return (await stream.get_final_completion()).choices[0].message.content


async def sent(process: Process) -> bytes:
    """Every byte of such an answer."""
    async with httpx.AsyncClient(base_url=process.url, headers=AUTHORIZED, timeout=60) as client:
        return (await client.post("/v1/chat/completions", json=a_chat(HELLO, stream=True))).content


async def test_the_official_clients_read_over_comments(tmp_path: Path) -> None:
    """All at once, for it takes its time."""
    with a_process(tmp_path, first_token_seconds=FIRST_OUTPUT_SECONDS + 0.5) as process:
        process.ready()
        by_node = asyncio.to_thread(lambda: passes("slow", process))
        content, said, _ = await asyncio.gather(sent(process), told_to_python(process), by_node)

    assert content.startswith(COMMENT)
    assert said == HELLO
