"""A model that reasons does so before it is held to a schema or a call."""

import json
from typing import Any

import pytest

from qwen_server.engine.base import OutputSchema, Preface
from qwen_server.engine.scripted import Script
from qwen_server.engine.structure import structure
from tests.server_unit.builders import a_chat, a_server
from tests.server_unit.test_tools import (
    HERMES,
    LISTED,
    NAMED,
    ONE,
    SCHEMA,
    THINKING,
    WEATHER,
    Held,
    a_model,
    streamed,
    together,
    whole,
)

OPENED, CLOSED, BARE = "assistant\n<think>\n", "assistant\n<think>\n\n</think>\n\n", "assistant\n"
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
MAY, MUST = (
    Preface("<think>", "</think>", False, ("<tool_call>",)),
    Preface("<think>", "</think>", True, ("<tool_call>",)),
)
ROOM: dict[str, tuple[str, str, Preface | None]] = {
    "a model without reasoning": (HERMES, BARE, None),
    "reasoning switched off": (THINKING, CLOSED, None),
    "reasoning that the model may begin": (THINKING, BARE, MAY),
    "reasoning that the prompt has begun": (THINKING, OPENED, MUST),
}


@pytest.mark.parametrize(("template", "tail", "room"), ROOM.values(), ids=ROOM.keys())
@pytest.mark.parametrize(
    "fields",
    [{"response_format": FORMAT}, {"tools": [WEATHER], "tool_choice": "required"}],
    ids=["format", "call"],
)
async def test_the_engine_is_told_what_may_stand_before(
    template: str, tail: str, room: Preface | None, fields: dict[str, Any]
) -> None:
    """The end of the prompt shows it, never the model's name."""
    script = Script(reply="{}", chat_template=template, prompt_tail=tail)
    engine = Held(script)
    async with a_server(script, engine).client() as client:
        await client.post("/v1/chat/completions", json=a_chat(**fields))

    assert engine.schema is not None
    assert engine.schema.preface == room


ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "a format": ({"response_format": FORMAT}, '{"x": 1}'),
    "a named call": ({"tools": [WEATHER], "tool_choice": NAMED}, '{"city": "Paris"}'),
    "any call": ({"tools": [WEATHER], "tool_choice": "required"}, LISTED),
}
WRITTEN = {
    "opened by the prompt": (OPENED, "Hm, {so}.\n</think>\n\n"),
    "opened by the model": (BARE, "<think>\nHm, {so}.\n</think>\n\n"),
    "left out": (BARE, ""),
}


@pytest.mark.parametrize(("fields", "reply"), ASKED.values(), ids=ASKED.keys())
@pytest.mark.parametrize(("tail", "thought"), WRITTEN.values(), ids=WRITTEN.keys())
async def test_reasoning_before_a_held_answer_is_told_as_reasoning(
    fields: dict[str, Any], reply: str, tail: str, thought: str
) -> None:
    """Whole and streamed alike; what follows is the same as of a model that does not reason."""
    plain = await whole(a_model(reply, HERMES), **fields)
    one = await whole(a_model(thought + reply, THINKING, tail), **fields)
    many = together(await streamed(a_model(thought + reply, THINKING, tail), **fields))

    assert one["message"].pop("reasoning", "") == one["message"].pop("reasoning_content", "")
    assert one == plain
    assert many["reasoning"] == ("Hm, {so}." if thought else None)
    assert (many["content"], many["tool_calls"]) == (
        plain["message"]["content"],
        plain["message"].get("tool_calls", []),
    )


async def test_a_limit_that_ends_the_reasoning_leaves_no_answer() -> None:
    """And the reason says so."""
    choice = await whole(a_model("Hm, well, so", THINKING, OPENED), response_format=FORMAT, max_tokens=2)

    assert (choice["message"]["content"], choice["message"]["reasoning"]) == ("", "Hm, well,")
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize("room", [MAY, MUST], ids=["may", "must"])
def test_a_schema_behind_reasoning_is_one_structural_tag(room: Preface) -> None:
    """Reasoning with at most a blank line behind it, the schema, and nothing else."""
    form = structure(OutputSchema(SCHEMA, "response_format", room))

    text = {"type": "any_text", "excludes": ["<tool_call>"]}
    tag = {"type": "tag", "begin": "" if room.opened else "<think>", "content": text, "end": "</think>"}
    thought = {"type": "sequence", "elements": [tag, {"type": "regex", "pattern": r"\n{0,2}"}]}
    first = thought if room.opened else {"type": "optional", "content": thought}
    held = {"type": "json_schema", "json_schema": SCHEMA}
    expected = {"type": "structural_tag", "format": {"type": "sequence", "elements": [first, held]}}
    assert json.loads(json.dumps(form)) == expected


@pytest.mark.parametrize("thought", ["", "<think>\nHm.\n</think>\n\n"], ids=["at once", "after reasoning"])
@pytest.mark.parametrize("reply", ['{"x": 1}', f"{ONE}\n{ONE}"], ids=["JSON", "calls"])
async def test_a_model_with_tools_may_call_them_in_the_place_of_the_json(reply: str, thought: str) -> None:
    """As with OpenAI: the schema is for the answer at the end of a loop of tools. Whole and streamed alike."""
    fields = {"tools": [WEATHER], "response_format": FORMAT}
    one = await whole(a_model(thought + reply, THINKING), **fields)
    many = together(await streamed(a_model(thought + reply, THINKING), **fields))

    calls = one["message"].get("tool_calls", [])
    assert (one["message"]["content"], len(calls)) == ((reply, 0) if reply.startswith("{") else (None, 2))
    assert one["finish_reason"] == ("tool_calls" if calls else "stop")
    assert (many["content"], many["tool_calls"]) == (one["message"]["content"], calls)


@pytest.mark.parametrize("choice", [None, "auto", "none"])
async def test_the_engine_is_told_that_calls_may_come_instead(choice: str | None) -> None:
    """But where the request forbids them."""
    script = Script(reply="{}", chat_template=HERMES)
    engine = Held(script)
    async with a_server(script, engine).client() as client:
        body = a_chat(tools=[WEATHER], tool_choice=choice, response_format=FORMAT)
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 200

    marks = None if choice == "none" else ("<tool_call>", "</tool_call>")
    assert engine.schema is not None
    assert engine.schema.instead == marks


def test_calls_instead_of_json_are_an_alternative_in_the_tag() -> None:
    """Any number of them, a line break between two."""
    form = structure(OutputSchema(SCHEMA, "response_format", instead=("<tool_call>", "</tool_call>")))

    text = {"type": "any_text", "excludes": ["<tool_call>"]}
    call = {"type": "tag", "begin": "<tool_call>", "content": text, "end": "</tool_call>"}
    calls = {"type": "tags_with_separator", "tags": [call], "separator": "\n", "at_least_one": True}
    held = {"type": "json_schema", "json_schema": SCHEMA}
    expected = {"type": "structural_tag", "format": {"type": "or", "elements": [held, calls]}}
    assert json.loads(json.dumps(form)) == expected
