"""The official Python client where something is wrong: typed exceptions, time-outs, retries."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import httpx2
import openai
import pytest
from openai import OpenAI

from qwen_server.errors import KINDS, ApiError, Kind
from tests.clients.servers import HELLO, a_client, an_async_client
from tests.server_unit.process import START_SECONDS, Process, a_process
from tests.server_unit.waiting import wait_until

ASKED: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": HELLO}]
PATIENCE = 1.5
"""Seconds that a client waits for a word that never comes: long enough for its request to arrive first."""
CLASSES: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}
"""The client's own class for a status; the others have the general one."""


@pytest.fixture
def client(echo: Process) -> Iterator[OpenAI]:
    """A client of the server that says what it hears."""
    with a_client(echo) as client:
        yield client


def ended(process: Process, status: int) -> bool:
    """Whether a chat of this status is over: 499 where the client left before there was any."""
    lines = httpx.get(f"{process.management}/metrics").text.splitlines()
    counted = f'qwen_server_requests_total{{key="alice",route="/v1/chat/completions",status="{status}"}}'
    return any(line.startswith(counted) for line in lines)


# --- typed exceptions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.status} {kind.code} {kind.meaning}")
def test_every_error_of_the_table_becomes_a_typed_exception(kind: Kind) -> None:
    """With the sentence, the type, the code and the parameter."""
    error = ApiError(kind, "One sentence.", "messages")
    answer = httpx2.Response(kind.status, content=error.envelope(), headers={"content-type": "application/json"})
    session = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    with (
        OpenAI(api_key="x", base_url="http://server", max_retries=0, http_client=session) as client,
        pytest.raises(openai.APIStatusError) as raised,
    ):
        client.models.list()

    said = raised.value
    assert type(said) is CLASSES.get(kind.status, openai.APIStatusError)
    assert (said.status_code, said.type, said.code, said.param) == (kind.status, kind.type, kind.code, "messages")
    assert "One sentence." in said.message


def test_a_wrong_key_is_an_authentication_error(echo: Process) -> None:
    """With OpenAI's own code, and the request's id."""
    with a_client(echo, api_key="wrong-fake-key") as client, pytest.raises(openai.AuthenticationError) as raised:
        client.models.list()

    assert (raised.value.code, raised.value.type) == ("invalid_api_key", "invalid_request_error")
    assert raised.value.request_id is not None


def test_what_is_wrong_with_a_request_is_told_by_class_code_and_parameter(client: OpenAI) -> None:
    """Whole and streamed alike."""
    with pytest.raises(openai.BadRequestError) as unknown:
        client.chat.completions.create(model="gpt-4", messages=ASKED)
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("gpt-4")
    with pytest.raises(openai.UnprocessableEntityError) as invalid:
        client.chat.completions.create(model="qwen3", messages=ASKED, seed="x")  # type: ignore[call-overload]
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(model="qwen3", messages=ASKED, max_tokens=200_000, stream=True)
    with pytest.raises(openai.APIStatusError) as large:
        client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": "x" * 20_000_000}])

    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    assert missing.value.code == "model_not_found"
    assert invalid.value.param == "seed"
    assert long.value.code == "context_length_exceeded"
    assert large.value.status_code == 413


def test_an_error_inside_of_a_stream_is_raised(tmp_path: Path) -> None:
    """After the text that came before it; whatever is asked then is an error of the server."""
    with a_process(tmp_path, dies_after_tokens=2) as process, a_client(process.ready()) as client:
        texts: list[str | None] = []
        stream = client.chat.completions.create(model="qwen3", messages=ASKED, stream=True)
        with pytest.raises(openai.APIError) as raised:
            texts.extend(chunk.choices[0].delta.content for chunk in stream)

    assert raised.value.code == "engine_dead"


# --- time-outs and leaving --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_client_that_waits_no_longer_frees_the_engine(tmp_path: Path, stream: bool) -> None:
    """Its own exception on one side, an aborted request on the other."""
    with (
        a_process(tmp_path, first_token_seconds=3600.0) as process,
        a_client(process.ready(), timeout=httpx2.Timeout(60.0, read=PATIENCE)) as client,
    ):
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="qwen3", messages=ASKED, stream=stream)

        wait_until(lambda: ended(process, 499), START_SECONDS)
        process.terminate()
        assert process.ended() == 0


def test_a_client_that_leaves_a_stream_frees_the_engine(tmp_path: Path) -> None:
    """After its first word; the second would have come in an hour."""
    with a_process(tmp_path, token_seconds=3600.0) as process, a_client(process.ready()) as client:
        with client.chat.completions.create(model="qwen3", messages=ASKED, stream=True) as stream:
            first, over = next(iter(stream)), ended(process, 200)

        wait_until(lambda: ended(process, 200), START_SECONDS)

    assert not over
    assert first.choices[0].delta.content == "Hello,"


async def test_a_cancelled_coroutine_frees_the_engine(tmp_path: Path) -> None:
    """As servers do whose own client has left."""
    with a_process(tmp_path, first_token_seconds=3600.0) as process:
        async with an_async_client(process.ready()) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.chat.completions.create(model="qwen3", messages=ASKED), PATIENCE)

            await asyncio.to_thread(wait_until, lambda: ended(process, 499), START_SECONDS)


# --- retries ----------------------------------------------------------------------------------------------------------


def test_the_client_waits_for_a_server_that_starts(tmp_path: Path) -> None:
    """503 with Retry-After is what its own retries are made for."""
    with a_process(tmp_path, load_seconds=4.0) as process, a_client(process.listening(), max_retries=0) as hasty:
        with pytest.raises(openai.InternalServerError) as raised:
            hasty.chat.completions.create(model="qwen3", messages=ASKED)
        answer = hasty.with_options(max_retries=5).chat.completions.create(model="qwen3", messages=ASKED)

    assert (raised.value.status_code, raised.value.code) == (503, "model_loading")
    assert raised.value.response.headers["retry-after"] == "5"
    assert answer.choices[0].message.content == HELLO
