"""The official Python client with tools: calls read by its helpers, and loops that come to their end."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ParsedFunctionToolCall
from pydantic import BaseModel

from tests.clients.servers import HELLO, SUNNY, a_client, an_async_client
from tests.server_unit.process import Process


class City(BaseModel):
    """Where the weather is asked for."""

    city: str


TOOLS = [openai.pydantic_function_tool(City, name="weather")]
ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": HELLO}]


@pytest.fixture
def client(calling: Process) -> Iterator[OpenAI]:
    """A client of the server that calls a tool."""
    with a_client(calling) as client:
        yield client


def with_results(message: BaseModel, calls: Sequence[ParsedFunctionToolCall] | None) -> list[Any]:
    """The conversation with the model's message, handed back as it came, and what the tools said to its calls."""
    results = [{"role": "tool", "tool_call_id": call.id, "content": weather(call)} for call in calls or ()]
    return [*ASKED, message, *results]


def weather(call: ParsedFunctionToolCall) -> str:
    """What the tool says."""
    where = call.function.parsed_arguments
    assert where == City(city="Paris")
    return json.dumps({"sunny": True})


def test_a_tool_call_is_parsed_by_the_clients_own_helper(client: OpenAI) -> None:
    """`parse` reads the arguments into the tool's own type; text and reasoning stand beside the call."""
    answer = client.chat.completions.parse(model="qwen3", messages=ASKED, tools=TOOLS)

    message = answer.choices[0].message
    (call,) = message.tool_calls or []
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, call.function.parsed_arguments) == ("weather", City(city="Paris"))
    assert message.content == "I look."
    assert (message.model_extra or {})["reasoning_content"] == "Hm."


def test_a_streamed_tool_call_is_put_together_by_the_clients_own_helper(client: OpenAI) -> None:
    """`stream` announces the arguments as they come, and ends with the same message."""
    with client.chat.completions.stream(model="qwen3", messages=ASKED, tools=TOOLS) as stream:
        parts = [event for event in stream if event.type.startswith("tool_calls.function.arguments")]
        answer = stream.get_final_completion()

    (call,) = answer.choices[0].message.tool_calls or []
    assert [part.type.rpartition(".")[2] for part in parts] == [*["delta"] * (len(parts) - 1), "done"]
    assert len(parts) > 2
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert call.function.parsed_arguments == City(city="Paris")


def test_a_tool_loop_comes_to_its_end(client: OpenAI) -> None:
    """The message goes back as it came, reasoning included, with the tool's result after it."""
    asked = client.chat.completions.parse(model="qwen3", messages=ASKED, tools=TOOLS).choices[0].message

    answer = client.chat.completions.parse(
        model="qwen3", messages=with_results(asked, asked.tool_calls), tools=TOOLS
    ).choices[0]

    assert (answer.finish_reason, answer.message.content) == ("stop", SUNNY)


def test_a_streamed_tool_loop_comes_to_its_end(client: OpenAI) -> None:
    """With what the helper gathered."""
    with client.chat.completions.stream(model="qwen3", messages=ASKED, tools=TOOLS) as stream:
        asked = stream.get_final_completion().choices[0].message
    with client.chat.completions.stream(
        model="qwen3", messages=with_results(asked, asked.tool_calls), tools=TOOLS
    ) as stream:
        answer = stream.get_final_completion().choices[0]

    assert (answer.finish_reason, answer.message.content) == ("stop", SUNNY)


async def test_the_asynchronous_client_runs_tools_alike(calling: Process) -> None:
    """One turn streamed, the next one whole."""
    async with an_async_client(calling) as client:
        async with client.chat.completions.stream(model="qwen3", messages=ASKED, tools=TOOLS) as stream:
            asked = (await stream.get_final_completion()).choices[0].message
        answer = await client.chat.completions.parse(
            model="qwen3", messages=with_results(asked, asked.tool_calls), tools=TOOLS
        )

    assert answer.choices[0].message.content == SUNNY
