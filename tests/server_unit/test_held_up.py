"""No request holds up the event loop, however its body is made: others' tokens wait for nobody."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from qwen_server.engine.base import Prompt, TemplateOptions
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.limits import Limits
from tests.server_unit.asgi import Bytes
from tests.server_unit.builders import AServer, a_chat, a_completion, a_server
from tests.server_unit.lag import least_lag

SECONDS = 0.050
MIB_8 = Limits().body_bytes
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
MESSAGE = {"role": "user", "content": "x"}
CALL = {"id": "", "function": {"name": "", "arguments": ""}}
TEMPLATE = "<tool_call> <function=example_function_name> <think>"


def packed(body: object) -> bytes:
    """JSON without a byte too many."""
    return json.dumps(body, separators=(",", ":")).encode()


def repeated(item: object, most: int) -> list[object]:
    """As many as fit into 8 MiB, but not more than so many."""
    return [item] * min(most, (MIB_8 - 1000) // (len(packed(item)) + 1))


def of_parts(kind: str, most: int) -> dict[str, object]:
    """Properties of a schema."""
    return {f"k{number}": {"type": kind} for number in range(most)}


def a_tool(schema: object) -> dict[str, object]:
    """A tool with these parameters."""
    return {"type": "function", "function": {"name": "f", "parameters": schema}}


MOST, MEMBERS, COMMAS = Limits().body_containers, Limits().body_members, Limits().body_commas
BODIES: dict[str, tuple[str, Callable[[], object]]] = {
    "one string": (CHAT, lambda: a_chat("x" * (MIB_8 - 200))),
    "one string of escapes": (CHAT, lambda: a_chat("\n" * (MIB_8 // 2 - 200))),
    "one string of quotes": (CHAT, lambda: a_chat('"' * (MIB_8 // 2 - 200))),
    "one string of backslashes": (CHAT, lambda: a_chat("\\" * (MIB_8 // 2 - 200))),
    "one string of pairs": (CHAT, lambda: a_chat("\N{DUCK}" * (MIB_8 // 12 - 200))),
    "one string that looks like structure": (CHAT, lambda: a_chat("{[:," * (MIB_8 // 4 - 200))),
    "4096 long messages": (CHAT, lambda: a_chat(messages=[{"role": "user", "content": "x" * 1900}] * 4096)),
    "4096 bad messages": (CHAT, lambda: a_chat(messages=[MESSAGE] * 4095 + [{"role": "user", "content": 5}])),
    "4096 messages of parts": (
        CHAT,
        lambda: a_chat(messages=[{"role": "user", "content": [{"type": "text", "text": "x"}] * 4}] * 4096),
    ),
    "4096 messages of calls": (CHAT, lambda: a_chat(messages=[{"role": "assistant", "tool_calls": [CALL] * 2}] * 4096)),
    "more messages than are taken": (CHAT, lambda: a_chat(messages=repeated({}, MOST - 10))),
    "one message of parts": (
        CHAT,
        lambda: a_chat(messages=[{"role": "user", "content": repeated({"type": "text", "text": ""}, 4096)}]),
    ),
    "one message of more parts": (
        CHAT,
        lambda: a_chat(messages=[{"role": "user", "content": repeated({"type": "text", "text": ""}, MOST - 10)}]),
    ),
    "one message of calls": (
        CHAT,
        lambda: a_chat(messages=[{"role": "assistant", "tool_calls": repeated(CALL, 1024)}]),
    ),
    "one message of more calls": (
        CHAT,
        lambda: a_chat(messages=[{"role": "assistant", "tool_calls": repeated(CALL, MOST // 2 - 10)}]),
    ),
    "one message of members": (
        CHAT,
        lambda: a_chat(messages=[MESSAGE | {f"k{number}": 1 for number in range(MEMBERS - 100)}]),
    ),
    "unknown arrays": (CHAT, lambda: a_chat(unknown=repeated([], MOST - 10))),
    "unknown objects": (CHAT, lambda: a_chat(unknown=repeated({"a": 1}, MOST - 10))),
    "unknown numbers": (CHAT, lambda: a_chat(unknown=repeated(1, COMMAS - 10))),
    "unknown depth": (CHAT, lambda: a_chat(unknown=repeated(json.loads("[" * 150 + "]" * 150), MOST // 150 - 1))),
    "what is not supported": (CHAT, lambda: a_chat(audio=repeated([], MOST - 10))),
    "numbers that are not supported": (CHAT, lambda: a_chat(audio=repeated(1.5, COMMAS - 10))),
    "128 tools": (
        CHAT,
        lambda: a_chat(tools=[a_tool({"type": "object", "properties": of_parts("string", 220)})] * 128),
    ),
    "one tool": (CHAT, lambda: a_chat(tools=[a_tool({"type": "object", "properties": of_parts("string", MOST - 50)})])),
    "a tool of arrays": (CHAT, lambda: a_chat(tools=[a_tool({"enum": repeated([], MOST - 50)})])),
    "tools, one of them required": (
        CHAT,
        lambda: a_chat(tools=[a_tool({"enum": repeated([], MOST - 50)})], tool_choice="required"),
    ),
    "a schema": (
        CHAT,
        lambda: a_chat(
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"properties": of_parts("string", MOST - 50)}},
            }
        ),
    ),
    "four long stops": (CHAT, lambda: a_chat(stop=["x" * 2_000_000] * 4)),
    "too many stops": (CHAT, lambda: a_chat(stop=repeated("x", COMMAS - 10))),
    "1024 biases": (CHAT, lambda: a_chat(logit_bias={str(number): 1 for number in range(1024)})),
    "more biases than are taken": (
        CHAT,
        lambda: a_chat(logit_bias={str(number): 1 for number in range(MEMBERS - 100)}),
    ),
    "1024 biases for 1024 prompts": (
        COMPLETIONS,
        lambda: a_completion(["x"] * 1024, logit_bias={str(number): 1 for number in range(1024)}),
    ),
    "1024 prompts of ids": (COMPLETIONS, lambda: a_completion([[1] * 380] * 1024)),
    "many ids": (COMPLETIONS, lambda: a_completion([1] * (COMMAS - 10))),
    "many ids, the last one bad": (COMPLETIONS, lambda: a_completion([*[1] * (COMMAS - 10), "x"])),
    "too many texts": (COMPLETIONS, lambda: a_completion(repeated("x", COMMAS - 10))),
    "more arrays than are taken": (CHAT, lambda: a_chat(unknown=repeated([], MIB_8))),
    "more members than are taken": (CHAT, lambda: a_chat(unknown=repeated({"a": 1}, MIB_8))),
    "more numbers than are taken": (CHAT, lambda: a_chat(unknown=repeated(1, MIB_8))),
}


class Quick(ScriptedEngine):
    """A scripted engine that reads no prompt: what an engine's own reading costs is measured with vLLM."""

    async def render_chat(self, messages: Sequence[Mapping[str, object]], options: TemplateOptions) -> Prompt:
        """Always the same."""
        return Prompt([1], "x")

    async def render_text(self, text: str | Sequence[int], *, with_text: bool = False) -> Prompt:
        """Always the same."""
        return Prompt([1], "x")


async def ask(server: AServer, path: str, body: bytes) -> None:
    """One request to its end."""
    conversation = Bytes(server.app, path, body).begin()
    await conversation.end()
    assert conversation.status in (200, 400, 413, 422)


@pytest.mark.parametrize("name", BODIES)
async def test_no_body_holds_up_the_loop(name: str) -> None:
    """Not for 50 ms: at most what is needed to look whether anybody else wants something."""
    path, body = BODIES[name]
    script, content = Script(chat_template=TEMPLATE), packed(body())
    server = a_server(script, Quick(script))
    assert len(content) <= MIB_8

    assert await least_lag(partial(ask, server, path, content), SECONDS / 2) < SECONDS
    assert server.journal() == []
