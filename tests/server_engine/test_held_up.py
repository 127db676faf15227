"""With vLLM's renderer and its checks behind it, no request holds up the event loop, nor the signs of its life."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from qwen_server.engine.base import EngineError, OutputSchema, Sampling
from qwen_server.health import Condition, Pulse, watch_engine
from tests.server_engine.conftest import Loaded, deltas, null_engine, script
from tests.server_unit.builders import AServer, a_chat, a_completion, a_server
from tests.server_unit.lag import least_lag
from tests.server_unit.test_held_up import CHAT, COMPLETIONS, MIB_8, SECONDS, ask, packed

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONTEXT = 200_000
PROMPT = 190_000
"""Tokens, each a character."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(tiny_model: Path) -> AsyncIterator[Loaded]:
    """An engine with room for the longest prompts."""
    async with null_engine(tiny_model, CONTEXT) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def server(large: Loaded) -> AServer:
    """A server on it, without sockets."""
    made = a_server(engine=large.engine, loaded=False)
    made.lifecycle.loaded(large.facts)
    return made


def a_conversation(turns: int) -> list[dict[str, object]]:
    """Calls and their results, a word each."""
    call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
    turn: list[dict[str, object]] = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
    ]
    return [{"role": "user", "content": "x"}, *turn * turns]


def properties(number: int, schema: object) -> dict[str, object]:
    """A schema of an object of so many."""
    return {"type": "object", "properties": {f"k{each}": schema for each in range(number)}}


BODIES: dict[str, tuple[str, Callable[[], dict[str, object]]]] = {
    "a chat that fills the context": (CHAT, lambda: a_chat("x " * (PROMPT // 2))),
    "a text that fills the context": (COMPLETIONS, lambda: a_completion("x " * (PROMPT // 2), echo=True)),
    "ids that fill the context": (COMPLETIONS, lambda: a_completion([65] * PROMPT)),
    "more ids than fit": (COMPLETIONS, lambda: a_completion([65] * 2 * PROMPT)),
    "8 MiB of text": (COMPLETIONS, lambda: a_completion("x " * (MIB_8 // 2 - 100))),
    "8 MiB of chat": (CHAT, lambda: a_chat("x " * (MIB_8 // 2 - 200))),
    "4096 messages": (CHAT, lambda: a_chat(messages=[{"role": "user", "content": "x" * 20}] * 4096)),
    "4096 messages of parts": (
        CHAT,
        lambda: a_chat(messages=[{"role": "user", "content": [{"type": "text", "text": "x"}] * 4}] * 4096),
    ),
    "4096 messages of calls": (CHAT, lambda: a_chat(messages=a_conversation(2047))),
    "1024 texts": (COMPLETIONS, lambda: a_completion(["x" * 300] * 1024)),
    "1024 lists of ids": (COMPLETIONS, lambda: a_completion([[65] * 300] * 1024)),
}
SCHEMAS: dict[str, object] = {
    "of 1000 properties": properties(1000, {"type": "string"}),
    "of patterns": properties(20, {"type": "string", "pattern": "^a{1,300}$"}),
}


@pytest.mark.parametrize("name", BODIES)
async def test_no_request_holds_up_the_loop(server: AServer, name: str) -> None:
    """Not for 50 ms: reading, the template, the tokenizer, vLLM's checks and the first token together."""
    path, body = BODIES[name]
    content = packed(body() | {"max_tokens": 1})

    assert await least_lag(partial(ask, server, path, content), SECONDS / 2) < SECONDS


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
async def test_no_schema_holds_up_the_loop(large: Loaded, schema: dict[str, object]) -> None:
    """However long vLLM looks at it. The answer does not matter: this executor obeys no grammar."""
    sampling = Sampling(max_tokens=1, schema=OutputSchema(schema, "response_format"))

    async def work() -> None:
        with pytest.raises(EngineError):
            await deltas(large.engine, sampling)

    assert await least_lag(work, SECONDS / 2) < SECONDS


async def test_a_long_prefill_answers_pings_all_along(large: Loaded) -> None:
    """Of 190,000 tokens in many steps: between two of them the core has an ear."""
    pulse = Pulse(60.0)
    watching = asyncio.ensure_future(watch_engine(large.engine, pulse))
    prompt = await large.engine.render_text("never seen " * (PROMPT // 11))
    sampling, began = Sampling(max_tokens=1, extra=script("a", pause=0.05)), time.monotonic()
    seen = set()
    async for _ in large.engine.generate(prompt, sampling, "long", stream=True):
        seen.add(pulse.condition())

    assert (seen, watching.done()) == ({Condition.LIVELY}, False)
    assert time.monotonic() - began > 40 * 0.05
    watching.cancel()


async def test_one_step_longer_than_the_silence_limit_is_silence_and_no_death(large: Loaded) -> None:
    """As on a slow CPU: not ready meanwhile, and lively again as soon as the step is over."""
    pulse = Pulse(60.0)
    watching = asyncio.ensure_future(watch_engine(large.engine, pulse))
    step = asyncio.ensure_future(deltas(large.engine, Sampling(max_tokens=1, extra=script("a", pause=9.0))))
    seen = []
    while not step.done() or pulse.condition() is not Condition.LIVELY:
        if pulse.condition() not in seen:
            seen.append(pulse.condition())
        await asyncio.sleep(0.1)

    assert (seen, watching.done()) == ([Condition.LIVELY, Condition.SILENT], False)
    watching.cancel()
