"""Which parsers an answer goes through: those of the chat template, or what the operator says instead."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from qwen_server.parsers import Parsers, ReasoningParser, ToolCallParser
from tests.server_unit.builders import AUTHORIZED, a_chat
from tests.server_unit.process import a_process
from tests.server_unit.test_tools import CODER, HERMES, NAMED, ONE, ONE_XML, THINKING, WEATHER, a_model, streamed, whole

REASONED = "<think>\nHm.\n</think>\n\nParis"


def calls(parser: ToolCallParser) -> Parsers:
    """The parser of calls alone is given."""
    return Parsers(tool_call=parser)


def reasons(parser: ReasoningParser) -> Parsers:
    """The parser of reasoning alone is given."""
    return Parsers(reasoning=parser)


@pytest.mark.parametrize("template", ["", HERMES, CODER], ids=["no tools", "hermes", "coder"])
@pytest.mark.parametrize(
    ("parser", "reply"),
    [(ToolCallParser.HERMES, ONE), (ToolCallParser.QWEN3_CODER, ONE_XML)],
    ids=["hermes", "qwen3_coder"],
)
async def test_a_named_parser_of_calls_counts_more_than_the_template(
    template: str, parser: ToolCallParser, reply: str
) -> None:
    """Some fine-tuned models write another format than their template teaches."""
    choice = await whole(a_model(reply, template, parsers=calls(parser)), tools=[WEATHER])

    (call,) = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris", "days": 3}


async def test_without_a_parser_of_calls_tools_are_refused() -> None:
    """A client that sends tools would take the markup for an answer; nothing is said of how the server was started."""
    async with a_model(ONE, parsers=calls(ToolCallParser.NONE)).client() as client:
        answer = await client.post("/v1/chat/completions", json=a_chat(tools=[WEATHER]))

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "tools", "unsupported_parameter")
    assert "--" not in error["message"]


@pytest.mark.parametrize("fields", [{}, {"tools": [WEATHER], "tool_choice": "none"}], ids=["no tools", "no call"])
async def test_without_a_parser_of_calls_markup_stays_in_the_text(fields: dict[str, Any]) -> None:
    """For clients that read it themselves."""
    choice = await whole(a_model(ONE, parsers=calls(ToolCallParser.NONE)), **fields)

    assert choice == {"index": 0, "message": {"role": "assistant", "content": ONE}, "finish_reason": "stop"}


async def test_without_a_parser_of_calls_one_can_still_be_demanded() -> None:
    """The engine holds the answer to it, markup plays no part."""
    model = a_model('{"city": "Paris"}', parsers=calls(ToolCallParser.NONE))

    choice = await whole(model, tools=[WEATHER], tool_choice=NAMED)

    assert choice["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Paris"}'}


async def test_without_a_parser_of_reasoning_it_stays_in_the_text() -> None:
    """Whole and streamed, also where the model is held to a schema, which then is the whole answer."""
    model = a_model(REASONED, THINKING, parsers=reasons(ReasoningParser.NONE))

    assert (await whole(model))["message"] == {"role": "assistant", "content": REASONED}
    assert "".join(choice["delta"].get("content", "") for choice in await streamed(model)) == REASONED


async def test_a_named_parser_of_reasoning_counts_more_than_the_template() -> None:
    """For a template that does not show what its model does."""
    choice = await whole(a_model(REASONED, HERMES, parsers=reasons(ReasoningParser.QWEN3)))

    assert (choice["message"]["content"], choice["message"]["reasoning"]) == ("Paris", "Hm.")


def test_the_command_line_names_the_parsers(tmp_path: Path) -> None:
    """And the server's first lines say which are in use."""
    flags = ("--tool-call-parser=qwen3_coder", "--reasoning-parser=none")
    with a_process(tmp_path, *flags, reply=f"<think>{ONE_XML}", chat_template=THINKING) as server:
        url = server.ready().url
        answer = httpx.post(f"{url}/v1/chat/completions", json=a_chat(tools=[WEATHER]), headers=AUTHORIZED)

        message = answer.json()["choices"][0]["message"]
        assert (message["content"], len(message["tool_calls"])) == ("<think>", 1)
        (ready,) = server.journal("ready")
        assert (ready["tool_call_parser"], ready["reasoning_parser"]) == ("qwen3_coder", "none")
