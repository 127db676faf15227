"""Tools and reasoning over HTTP: what a model writes as markup reaches the client as OpenAI's own fields."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from qwen_server.engine.base import Delta, OutputSchema, Prompt, Sampling
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.parsers import Parsers
from tests.server_unit.builders import AServer, a_chat, a_server, events

HERMES = "{# teaches <tool_call> #}"
CODER = "{# teaches <tool_call> with <function= #}"
THINKING = "{# teaches <tool_call>, and knows <think> and enable_thinking #}"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
ONE = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris", "days": 3}}\n</tool_call>'
ONE_XML = (
    "<tool_call>\n<function=weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n</parameter>\n"
    "</function>\n</tool_call>"
)
TWO = f"Let me look.\n{ONE}\n{ONE.replace('Paris', 'Rome')}"


def a_model(reply: str, template: str = HERMES, tail: str = "", parsers: Parsers | None = None) -> AServer:
    """A server whose model writes this."""
    return a_server(Script(reply=reply, chat_template=template, prompt_tail=tail), parsers=parsers)


async def whole(server: AServer, **fields: Any) -> Any:
    """The one choice of a whole answer."""
    async with server.client() as client:
        answer = await client.post("/v1/chat/completions", json=a_chat(**fields))
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]


async def streamed(server: AServer, **fields: Any) -> list[Any]:
    """The choices of a stream, without its last word."""
    async with server.client() as client:
        answer = await client.post("/v1/chat/completions", json=a_chat(**fields, stream=True))
    assert answer.status_code == 200, answer.text
    found = events(answer.text)
    assert found.pop() == "[DONE]"
    return [choice for event in found for choice in event["choices"]]


def together(choices: list[Any]) -> dict[str, Any]:
    """What a client makes of a stream's deltas."""
    result: dict[str, Any] = {"role": None, "content": None, "reasoning": None, "tool_calls": []}
    for delta in (choice["delta"] for choice in choices):
        for name in ("role", "content", "reasoning"):
            if delta.get(name) is not None:
                result[name] = (result[name] or "") + delta[name]
        for part in delta.get("tool_calls", ()):
            if part["index"] == len(result["tool_calls"]):
                result["tool_calls"].append({"id": part["id"], "type": part["type"], "function": part["function"]})
            else:
                result["tool_calls"][part["index"]]["function"]["arguments"] += part["function"]["arguments"]
    return result


@pytest.mark.parametrize(("template", "reply"), [(HERMES, ONE), (CODER, ONE_XML)], ids=["hermes", "qwen3_coder"])
async def test_a_call_is_told_as_openai_tells_it(template: str, reply: str) -> None:
    """Name, arguments with the schema's types, an id, and the reason to answer it."""
    choice = await whole(a_model(reply, template), tools=[WEATHER])

    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert call["id"].startswith("call_")
    assert (call["type"], call["function"]["name"]) == ("function", "weather")
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris", "days": 3}


ANSWERS = {
    "one call": (HERMES, ONE, ""),
    "text and two calls": (HERMES, TWO, ""),
    "coder": (CODER, f"Now:\n{ONE_XML}\n{ONE_XML}", ""),
    "text alone": (HERMES, "No tool is needed.\n", ""),
    "reasoning, text, call": (THINKING, f"<think>\nHm.\n</think>\n\nSo.\n{ONE}", ""),
    "reasoning that the prompt opened": (THINKING, f"Hm.\n</think>\n\n{ONE}", "assistant\n<think>\n"),
}


@pytest.mark.parametrize(("template", "reply", "tail"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_a_stream_says_the_same_as_a_whole_answer(template: str, reply: str, tail: str) -> None:
    """To the character, ids included where the request is the same."""
    server = a_model(reply, template, tail)

    one = await whole(a_model(reply, template, tail), tools=[WEATHER])
    many = await streamed(server, tools=[WEATHER])

    message = {"reasoning": None, "tool_calls": [], **one["message"]}
    message.pop("reasoning_content", None)
    assert together(many) == message
    assert [choice["finish_reason"] for choice in many if choice["finish_reason"]] == [one["finish_reason"]]
    assert many[0]["delta"]["role"] == "assistant"
    assert all("role" not in choice["delta"] for choice in many[1:])


async def test_arguments_are_streamed_as_they_come() -> None:
    """The call is announced before its arguments are there, and these come in parts."""
    many = await streamed(a_model(ONE_XML.replace("Paris", "a very long name of a city"), CODER), tools=[WEATHER])

    parts = [part for choice in many for part in choice["delta"].get("tool_calls", ())]
    assert parts[0]["function"] == {"name": "weather", "arguments": ""}
    assert len(parts) > 5
    assert {frozenset(part) for part in parts[1:]} == {frozenset({"index", "function"})}


async def test_a_call_cut_off_by_the_length_limit_is_not_presented_as_complete() -> None:
    """The reason says so, and nobody closes the arguments."""
    choice = await whole(a_model(ONE), tools=[WEATHER], max_tokens=5)

    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "length"
    assert call["function"]["arguments"].startswith('{"city":')
    with pytest.raises(json.JSONDecodeError):
        json.loads(call["function"]["arguments"])


async def test_without_parallel_calls_only_the_first_is_told() -> None:
    """Whole and streamed."""
    one = await whole(a_model(TWO), tools=[WEATHER], parallel_tool_calls=False)
    many = await streamed(a_model(TWO), tools=[WEATHER], parallel_tool_calls=False)

    assert [json.loads(call["function"]["arguments"])["city"] for call in one["message"]["tool_calls"]] == ["Paris"]
    assert together(many)["tool_calls"] == one["message"]["tool_calls"]


@pytest.mark.parametrize("fields", [{}, {"tools": []}, {"tools": [WEATHER], "tool_choice": "none"}])
async def test_without_tools_nothing_is_taken_for_a_call(fields: dict[str, Any]) -> None:
    """A model may write about markup."""
    choice = await whole(a_model(ONE), **fields)

    assert choice == {"index": 0, "message": {"role": "assistant", "content": ONE}, "finish_reason": "stop"}


async def test_reasoning_has_both_names() -> None:
    """Clients look for one or the other."""
    choice = await whole(a_model("<think>\nHm.\n</think>\n\nParis", THINKING))

    expected = {"role": "assistant", "content": "Paris", "reasoning": "Hm.", "reasoning_content": "Hm."}
    assert choice["message"] == expected


@pytest.mark.parametrize("template", ["", HERMES, THINKING])
async def test_a_model_that_does_not_reason_keeps_its_whole_answer(template: str) -> None:
    """No parser takes it away."""
    assert (await whole(a_model("Paris", template)))["message"] == {"role": "assistant", "content": "Paris"}


async def test_reasoning_cut_off_is_no_answer() -> None:
    """The prompt opened it, and the limit came first."""
    choice = await whole(a_model("Hm, let me see", THINKING, "<think>\n"), max_tokens=2)

    assert choice["message"] == {
        "role": "assistant",
        "content": "",
        "reasoning": "Hm, let",
        "reasoning_content": "Hm, let",
    }
    assert choice["finish_reason"] == "length"


async def test_every_choice_has_calls_of_its_own() -> None:
    """Ids too."""
    async with a_model(ONE).client() as client:
        answer = await client.post("/v1/chat/completions", json=a_chat(tools=[WEATHER], n=2))

    ids = [choice["message"]["tool_calls"][0]["id"] for choice in answer.json()["choices"]]
    assert len(set(ids)) == 2


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
USER = {"role": "user", "content": "x"}


def after(call: Mapping[str, Any], result: str = "c1") -> list[dict[str, Any]]:
    """A conversation with a call and its result."""
    return [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "sunny", "tool_call_id": result},
    ]


REFUSED: dict[str, tuple[str, dict[str, Any], int, str, str]] = {
    "no tools in the template": ("", {"tools": [WEATHER]}, 400, "tools", "its calls are not read"),
    "a tool that is no function": (HERMES, {"tools": [{"type": "web"}]}, 400, "tools[0].type", "must be `function`"),
    "a tool without a function": (HERMES, {"tools": [{"type": "function"}]}, 422, "tools[0].function", "is required"),
    "a name with a space": (
        HERMES,
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        400,
        "tools[0].function.name",
        "letters",
    ),
    "parameters that are no object": (
        HERMES,
        {"tools": [{"type": "function", "function": {"name": "a", "parameters": 5}}]},
        422,
        "tools[0].function.parameters",
        "must be an object",
    ),
    "too many tools": (HERMES, {"tools": [WEATHER] * 129}, 400, "tools", "at most 128"),
    "a choice that is none": (HERMES, {"tools": [WEATHER], "tool_choice": "any"}, 400, "tool_choice", "must be"),
    "a choice of a wrong type": (
        HERMES,
        {"tools": [WEATHER], "tool_choice": 5},
        422,
        "tool_choice",
        "string or an object",
    ),
    "a call that must be made": (
        HERMES,
        {"tool_choice": "required"},
        400,
        "tool_choice",
        "the request has no tools",
    ),
    "a named call of no tool": (
        HERMES,
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "other"}}},
        400,
        "tool_choice.function.name",
        "names none of the request's tools",
    ),
    "a call and a format": (
        HERMES,
        {"tools": [WEATHER], "tool_choice": "required", "response_format": {"type": "json_object"}},
        400,
        "response_format",
        "exclude each other",
    ),
    "an unknown format": (HERMES, {"response_format": {"type": "xml"}}, 400, "response_format.type", "must be one of"),
    "a format without a type": (HERMES, {"response_format": {}}, 422, "response_format.type", "is required"),
    "a format that is no object": (HERMES, {"response_format": "json"}, 422, "response_format", "must be an object"),
    "a schema format without a schema": (
        HERMES,
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
        422,
        "response_format.json_schema.schema",
        "is required",
    ),
    "another argument of the template": (
        HERMES,
        {"chat_template_kwargs": {"secret_name": 1}},
        400,
        "chat_template_kwargs",
        "not accepted there",
    ),
    "thinking of a wrong type": (
        HERMES,
        {"chat_template_kwargs": {"enable_thinking": "no"}},
        422,
        "chat_template_kwargs.enable_thinking",
        "must be true or false",
    ),
    "a result without a call": (
        HERMES,
        {"messages": after(CALL, "c2")},
        400,
        "messages[2].tool_call_id",
        "names no tool call",
    ),
    "an earlier call without JSON": (
        HERMES,
        {"messages": after({**CALL, "function": {"name": "weather", "arguments": "{city"}})},
        400,
        "messages[1].tool_calls[0].function.arguments",
        "must be a JSON object as text",
    ),
}


@pytest.mark.parametrize(("template", "fields", "status", "param", "words"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_makes_no_sense_is_named(
    template: str, fields: dict[str, Any], status: int, param: str, words: str
) -> None:
    """One sentence, the place, and nothing of the content."""
    async with a_model("x", template).client() as client:
        answer = await client.post("/v1/chat/completions", json={**a_chat(), **fields})

    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param)
    assert words in error["message"]
    assert "secret_name" not in answer.text


async def test_a_call_and_its_result_are_taken() -> None:
    """Arguments may be empty where a function has none."""
    without = {**CALL, "function": {"name": "now", "arguments": ""}}
    for call in (CALL, without):
        assert (await whole(a_model("Sunny.")))["message"]["content"] == "Sunny."
        assert (await whole(a_model("Sunny."), messages=after(call), tools=[WEATHER]))["message"]["content"] == "Sunny."


NAMED = {"type": "function", "function": {"name": "weather"}}
LISTED = '[{"name": "weather", "arguments": {"city": "Paris"}}, {"name": "weather", "arguments": {"city": "Rome"}}]'


@pytest.mark.parametrize(
    ("reply", "choice", "cities", "reason"),
    [('{"city": "Paris"}', NAMED, ["Paris"], "stop"), (LISTED, "required", ["Paris", "Rome"], "tool_calls")],
    ids=["named", "required"],
)
async def test_a_call_that_must_be_made_is_read_from_plain_json(
    reply: str, choice: object, cities: list[str], reason: str
) -> None:
    """Whole and streamed alike; a named call ends as OpenAI's does. The template needs to know no tools for it."""
    one = await whole(a_model(reply, ""), tools=[WEATHER], tool_choice=choice)
    many = await streamed(a_model(reply, ""), tools=[WEATHER], tool_choice=choice)

    calls = one["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"])["city"] for call in calls] == cities
    assert (one["message"]["content"], one["finish_reason"]) == (None, reason)
    assert together(many)["tool_calls"] == calls


class Held(ScriptedEngine):
    """Notes what the engine was asked to hold the answer to."""

    schema: OutputSchema | None = None

    def generate(
        self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
    ) -> AsyncGenerator[Sequence[Delta], None]:
        """As the engine does."""
        self.schema = sampling.schema
        return super().generate(prompt, sampling, request_id, stream=stream)


ARGUMENTS = WEATHER["function"]["parameters"]  # type: ignore[index]
ONE_CALL = {
    "type": "object",
    "properties": {"name": {"enum": ["weather"]}, "arguments": ARGUMENTS},
    "required": ["name", "arguments"],
    "additionalProperties": False,
}
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
CONSTRAINTS: dict[str, tuple[dict[str, Any], OutputSchema | None]] = {
    "none": ({}, None),
    "text": ({"response_format": {"type": "text"}}, None),
    "any object": (
        {"response_format": {"type": "json_object"}},
        OutputSchema({"type": "object"}, "response_format"),
    ),
    "a schema": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}},
        OutputSchema(SCHEMA, "response_format.json_schema.schema"),
    ),
    "tools that may be called": ({"tools": [WEATHER]}, None),
    "a named call": ({"tools": [WEATHER], "tool_choice": NAMED}, OutputSchema(ARGUMENTS, "tools")),
    "a required call": (
        {"tools": [WEATHER], "tool_choice": "required"},
        OutputSchema({"type": "array", "items": {"anyOf": [ONE_CALL]}, "minItems": 1}, "tools"),
    ),
    "one required call": (
        {"tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": False},
        OutputSchema({"type": "array", "items": {"anyOf": [ONE_CALL]}, "minItems": 1, "maxItems": 1}, "tools"),
    ),
}


@pytest.mark.parametrize(("fields", "schema"), CONSTRAINTS.values(), ids=CONSTRAINTS.keys())
async def test_the_engine_is_told_what_to_hold_the_answer_to(
    fields: dict[str, Any], schema: OutputSchema | None
) -> None:
    """And the parameter to blame, should it not be able to."""
    script = Script(reply="{}", chat_template=HERMES)
    engine = Held(script)

    await whole(a_server(script, engine), **fields)

    assert engine.schema == schema


async def test_json_of_a_schema_is_text() -> None:
    """The client reads it."""
    choice = await whole(a_model('{"x": 1}'), response_format={"type": "json_object"})

    assert choice["message"] == {"role": "assistant", "content": '{"x": 1}'}
