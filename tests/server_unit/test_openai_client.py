"""The official OpenAI client against a real process, as users use it."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionFunctionToolParam

from tests.server_unit.builders import KEY
from tests.server_unit.process import Process, a_process

HELLO = "Hello, how are you?"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One server for all these tests: none of them changes it."""
    with a_process(tmp_path_factory.mktemp("server")) as process:
        yield process.ready()


@pytest.fixture
def client(server: Process) -> Iterator[OpenAI]:
    """The client with a valid key, that shows errors instead of trying again."""
    with OpenAI(api_key=KEY, base_url=f"{server.url}/v1", max_retries=0) as client:
        yield client


def test_models_are_listed_and_retrieved(client: OpenAI) -> None:
    """The list holds what retrieving gives."""
    listed = client.models.list().data

    assert [model.id for model in listed] == ["qwen3"]
    assert client.models.retrieve("qwen3") == listed[0]


def test_a_chat_is_answered(client: OpenAI) -> None:
    """Whole, with usage."""
    answer = client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": HELLO}])

    assert answer.choices[0].message.content == HELLO
    assert (answer.choices[0].message.role, answer.choices[0].finish_reason) == ("assistant", "stop")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 8


def test_a_chat_is_streamed(client: OpenAI) -> None:
    """Chunk by chunk, with usage at the end when asked."""
    stream = client.chat.completions.create(
        model="qwen3",
        messages=[{"role": "user", "content": HELLO}],
        stream=True,
        stream_options={"include_usage": True},
    )

    chunks = list(stream)

    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == HELLO
    assert [delta.role for delta in deltas] == ["assistant", None, None, None]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4


def test_the_stream_helper_gathers_the_whole_answer(client: OpenAI) -> None:
    """The client's own fold agrees with ours."""
    with client.chat.completions.stream(model="qwen3", messages=[{"role": "user", "content": HELLO}]) as stream:
        final = stream.get_final_completion()

    assert final.choices[0].message.content == HELLO
    assert final.choices[0].finish_reason == "stop"


def test_a_text_is_completed_whole_and_streamed(client: OpenAI) -> None:
    """Both say the same."""
    whole = client.completions.create(model="qwen3", prompt="The capital of France is", max_tokens=10)
    stream = client.completions.create(model="qwen3", prompt="The capital of France is", max_tokens=10, stream=True)

    assert whole.choices[0].text == "The capital of France is"
    assert "".join(chunk.choices[0].text for chunk in stream) == "The capital of France is"


async def test_the_asynchronous_client_works_alike(server: Process) -> None:
    """Whole and streamed."""
    async with AsyncOpenAI(api_key=KEY, base_url=f"{server.url}/v1", max_retries=0) as client:
        whole = await client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": HELLO}], n=2)
        stream = await client.chat.completions.create(
            model="qwen3", messages=[{"role": "user", "content": HELLO}], stream=True
        )
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]

    assert [choice.message.content for choice in whole.choices] == [HELLO, HELLO]
    assert texts == ["Hello,", " how", " are", " you?"]


def test_a_wrong_key_is_an_authentication_error(server: Process) -> None:
    """With OpenAI's own code."""
    with (
        OpenAI(api_key="wrong-fake-key", base_url=f"{server.url}/v1", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        client.models.list()

    assert (raised.value.code, raised.value.type) == ("invalid_api_key", "invalid_request_error")
    assert raised.value.request_id is not None


def test_errors_are_the_clients_typed_exceptions(client: OpenAI) -> None:
    """Each status has its class, and param and code arrive."""
    with pytest.raises(openai.BadRequestError) as unknown:
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": HELLO}])
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("gpt-4")
    with pytest.raises(openai.UnprocessableEntityError) as invalid:
        client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": HELLO}], seed="x")  # type: ignore[call-overload]
    with pytest.raises(openai.BadRequestError) as long:
        client.completions.create(model="qwen3", prompt="x", max_tokens=200_000)

    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    assert missing.value.code == "model_not_found"
    assert invalid.value.param == "seed"
    assert long.value.code == "context_length_exceeded"


def test_an_error_inside_of_a_stream_is_raised(tmp_path: Path) -> None:
    """After the text that came before it."""
    with a_process(tmp_path, dies_after_tokens=2) as process:
        process.ready()
        texts: list[str | None] = []
        with OpenAI(api_key=KEY, base_url=f"{process.url}/v1", max_retries=0) as client:
            stream = client.chat.completions.create(
                model="qwen3", messages=[{"role": "user", "content": HELLO}], stream=True
            )
            with pytest.raises(openai.APIError) as raised:
                texts.extend(chunk.choices[0].delta.content for chunk in stream)

    assert raised.value.code == "engine_dead"


def test_the_client_waits_for_a_server_that_starts(tmp_path: Path) -> None:
    """503 with Retry-After is what its own retries are made for."""
    with a_process(tmp_path, load_seconds=1.0) as process:
        process.listening()
        with OpenAI(api_key=KEY, base_url=f"{process.url}/v1", max_retries=5) as client:
            assert [model.id for model in client.models.list()] == ["qwen3"]


WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>'


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """The client of a server whose model reasons and then calls a tool."""
    folder, reply = tmp_path_factory.mktemp("calling"), f"<think>\nHm.\n</think>\n\n{CALL}"
    with a_process(folder, reply=reply, chat_template="<tool_call> <think>") as process:
        process.ready()
        with OpenAI(api_key=KEY, base_url=f"{process.url}/v1", max_retries=0) as client:
            yield client


def test_a_tool_call_is_parsed_by_the_clients_own_helper(calling: OpenAI) -> None:
    """`parse` reads the arguments by the tool's schema."""
    answer = calling.chat.completions.parse(
        model="qwen3", messages=[{"role": "user", "content": HELLO}], tools=[WEATHER]
    )

    (call,) = answer.choices[0].message.tool_calls or []
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, call.function.parsed_arguments) == ("weather", {"city": "Paris"})


def test_a_streamed_tool_call_is_put_together_by_the_clients_own_helper(calling: OpenAI) -> None:
    """`stream` announces the arguments as they come, and ends with the same message."""
    with calling.chat.completions.stream(
        model="qwen3", messages=[{"role": "user", "content": HELLO}], tools=[WEATHER]
    ) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()

    (call,) = answer.choices[0].message.tool_calls or []
    assert {"tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"} <= kinds
    assert call.function.arguments == '{"city": "Paris"}'


def test_a_tool_loop_comes_to_its_end(calling: OpenAI) -> None:
    """The call's result goes back with the call, as agents send it."""
    asked = calling.chat.completions.create(
        model="qwen3", messages=[{"role": "user", "content": HELLO}], tools=[WEATHER]
    )
    message = asked.choices[0].message
    (call,) = message.tool_calls or []

    answer = calling.chat.completions.create(
        model="qwen3",
        messages=[
            {"role": "user", "content": HELLO},
            message.model_dump(exclude_none=True),  # type: ignore[list-item]
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
        ],
    )

    assert answer.choices[0].finish_reason == "stop"
