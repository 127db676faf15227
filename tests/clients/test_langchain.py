"""LangChain with its own package for OpenAI's interface: invoked, streamed, with tools, with structured answers."""

from collections.abc import Callable
from typing import Any, Literal

import openai
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.clients.servers import HELLO, SUNNY, WEATHER, Weather
from tests.server_unit.builders import KEY
from tests.server_unit.process import Process

Method = Literal["function_calling", "json_mode", "json_schema"]


def a_model(process: Process, **options: Any) -> ChatOpenAI:
    """The model, that shows errors instead of trying again."""
    given: dict[str, Any] = {"api_key": SecretStr(KEY), "max_retries": 0, **options}
    return ChatOpenAI(model="qwen3", base_url=f"{process.url}/v1", **given)


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


def test_a_model_is_invoked(echo: Process) -> None:
    """With messages of every role, and counts."""
    answer = a_model(echo).invoke(
        [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Yes?"), HumanMessage(HELLO)]
    )

    assert isinstance(answer, AIMessage)
    assert answer.content == HELLO
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == 12


def test_a_model_is_streamed(echo: Process) -> None:
    """Chunks add up to the message, with counts."""
    chunks = list(a_model(echo, stream_usage=True).stream(HELLO))

    assert [chunk.content for chunk in chunks if chunk.content] == ["Hello,", " how", " are", " you?"]
    counts = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert [count["output_tokens"] for count in counts] == [4]


async def test_many_are_asked_at_once(echo: Process) -> None:
    """By its own batches, without threads."""
    answers = await a_model(echo).abatch(["one", "two", "three"])

    assert [answer.content for answer in answers] == ["one", "two", "three"]


def whole(model: Any, messages: list[BaseMessage]) -> AIMessage:
    """The next message."""
    answer = model.invoke(messages)
    assert isinstance(answer, AIMessage)
    return answer


def streamed(model: Any, messages: list[BaseMessage]) -> AIMessage:
    """The same from its chunks."""
    first, *others = model.stream(messages)
    for chunk in others:
        first += chunk
    assert isinstance(first, AIMessage)
    return first


@pytest.mark.parametrize("ask", [whole, streamed])
def test_a_loop_of_tools_comes_to_its_end(calling: Process, ask: Callable[..., AIMessage]) -> None:
    """The tool is really called, and its message goes back."""
    model = a_model(calling).bind_tools([weather])
    messages: list[BaseMessage] = [HumanMessage("How is the weather in Paris?")]
    while (answer := ask(model, messages)).tool_calls:
        messages += [answer, *(weather.invoke(call) for call in answer.tool_calls)]

    assert [message.content for message in messages[1:]] == ["I look.", "sunny in Paris"]
    assert answer.content == SUNNY


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_an_answer_is_structured(structured: Process, method: Method) -> None:
    """By each of its ways to ask for that."""
    model = a_model(structured).with_structured_output(Weather, method=method)

    assert model.invoke("How is the weather in Paris, as JSON?") == WEATHER


def test_errors_are_those_of_the_official_client(echo: Process) -> None:
    """With their codes; it has its own class for a context that is too long, which is one of them."""
    with pytest.raises(openai.AuthenticationError) as stranger:
        a_model(echo, api_key=SecretStr("wrong")).invoke(HELLO)
    with pytest.raises(openai.BadRequestError) as long:
        a_model(echo, max_tokens=200_000).invoke(HELLO)

    assert stranger.value.code == "invalid_api_key"
    assert long.value.code == "context_length_exceeded"
