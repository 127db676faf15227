"""The official Python client: models, chats and texts, whole and streamed."""

import asyncio
from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.clients.servers import HELLO, WEATHER, Weather, a_client, an_async_client
from tests.server_unit.process import Process


@pytest.fixture
def client(echo: Process) -> Iterator[OpenAI]:
    """A client of the server that says what it hears."""
    with a_client(echo) as client:
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
    with client.chat.completions.stream(
        model="qwen3", messages=[{"role": "user", "content": HELLO}], stream_options={"include_usage": True}
    ) as stream:
        heard = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()

    assert "".join(heard) == final.choices[0].message.content == HELLO
    assert final.choices[0].finish_reason == "stop"
    assert final.usage is not None
    assert final.usage.total_tokens == 8


def test_a_text_is_completed_whole_and_streamed(client: OpenAI) -> None:
    """Both say the same."""
    whole = client.completions.create(model="qwen3", prompt="The capital of France is", max_tokens=10)
    stream = client.completions.create(model="qwen3", prompt="The capital of France is", max_tokens=10, stream=True)

    assert whole.choices[0].text == "The capital of France is"
    assert "".join(chunk.choices[0].text for chunk in stream) == "The capital of France is"


def test_an_answer_of_a_schema_is_parsed(structured: Process) -> None:
    """Whole and from a stream, into the caller's own type."""
    with a_client(structured) as client:
        whole = client.chat.completions.parse(
            model="qwen3", messages=[{"role": "user", "content": HELLO}], response_format=Weather
        )
        with client.chat.completions.stream(
            model="qwen3", messages=[{"role": "user", "content": HELLO}], response_format=Weather
        ) as stream:
            gathered = stream.get_final_completion()

    assert whole.choices[0].message.parsed == WEATHER
    assert gathered.choices[0].message.parsed == WEATHER


async def test_the_asynchronous_client_works_alike(echo: Process, structured: Process) -> None:
    """Models, whole, streamed, by the helper, parsed."""
    async with an_async_client(echo) as client:
        model = await client.models.retrieve("qwen3")
        whole = await client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": HELLO}], n=2)
        stream = await client.chat.completions.create(
            model="qwen3", messages=[{"role": "user", "content": HELLO}], stream=True
        )
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
        async with client.chat.completions.stream(
            model="qwen3", messages=[{"role": "user", "content": HELLO}]
        ) as helper:
            gathered = await helper.get_final_completion()
    async with an_async_client(structured) as client:
        parsed = await client.chat.completions.parse(
            model="qwen3", messages=[{"role": "user", "content": HELLO}], response_format=Weather
        )

    assert model.id == "qwen3"
    assert [choice.message.content for choice in whole.choices] == [HELLO, HELLO]
    assert texts == ["Hello,", " how", " are", " you?"]
    assert gathered.choices[0].message.content == HELLO
    assert parsed.choices[0].message.parsed == WEATHER


async def test_one_asynchronous_client_holds_many_conversations_at_once(echo: Process) -> None:
    """And each gets its own answer."""
    questions = [f"question {number}" for number in range(32)]
    async with an_async_client(echo) as client:
        answers = await asyncio.gather(
            *(
                client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": question}])
                for question in questions
            )
        )

    assert [answer.choices[0].message.content for answer in answers] == questions
