"""Row by row, where vLLM 0.32's own API server falls short of OpenAI's interface or of ours: here it is right.

This page is about who may ask, what, and how. What comes back is in `test_where_answers_fall_short`, life, logs and
resources are in `test_where_lives_fall_short`.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.server_unit.builders import AUTHORIZED, KEY, a_chat, a_completion, a_server

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
OPEN_AT_VLLM = [
    *(
        ("GET", path)
        for path in ("/health", "/metrics", "/docs", "/openapi.json", "/version", "/ping", "/load", "/none")
    ),
    *(("POST", path) for path in ("/tokenize", "/detokenize", "/invocations", "/ping", "/none")),
]


def envelope(answer: httpx.Response) -> dict[str, Any]:
    """The error of an answer, whose fields must be OpenAI's: `code` is a string or null."""
    error: dict[str, Any] = answer.json()["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert error["code"] is None or isinstance(error["code"], str)
    return error


# --- authentication and exposure --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), OPEN_AT_VLLM)
async def test_no_path_answers_without_a_key(method: str, path: str) -> None:
    """Least of all `/invocations`, which runs the model. What does not exist is no secret to who has a key."""
    server = a_server()
    async with server.client(headers={}) as stranger, server.client() as friend:
        refused = await stranger.request(method, path, json=a_chat())
        known = await friend.request(method, path, json=a_chat())

    assert (refused.status_code, envelope(refused)["code"]) == (401, "invalid_api_key")
    assert known.status_code in (200, 404)


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, ""),
    "wrong": ({"Authorization": "Bearer wrong"}, ""),
    "Basic": ({"Authorization": f"Basic {KEY}"}, ""),
    "x-api-key": ({"x-api-key": KEY}, ""),
    "in the query": ({}, f"?api_key={KEY}"),
}


@pytest.mark.parametrize(("headers", "query"), WRONG.values(), ids=WRONG.keys())
async def test_every_way_of_having_no_key_gets_the_same_answer(headers: dict[str, str], query: str) -> None:
    """In the envelope, with the scheme to use; a key in an address is never logged."""
    server = a_server()
    async with server.client(headers=headers) as client:
        answer = await client.get(f"/v1/models{query}")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert envelope(answer)["type"] == "invalid_request_error"
    assert server.journal() == []


async def test_a_stranger_who_announces_a_gigabyte_is_refused_unread() -> None:
    """At once."""
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"{"

    async with a_server().client(headers={"Content-Length": str(2**30), "Content-Type": "application/json"}) as client:
        answer = await client.post(CHAT, content=body())

    assert (answer.status_code, read) == (401, 0)


# --- routes and methods -----------------------------------------------------------------------------------------------


async def test_a_model_can_be_retrieved() -> None:
    """vLLM has no such route."""
    async with a_server().client() as client:
        answer = await client.get("/v1/models/qwen3")

    assert (answer.status_code, answer.json()["id"]) == (200, "qwen3")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", CHAT, 405, "POST, OPTIONS"),
        ("DELETE", "/v1/models", 405, "GET, HEAD, OPTIONS"),
        ("HEAD", "/health", 200, None),
        ("HEAD", "/v1/models", 200, None),
        ("OPTIONS", CHAT, 204, "POST, OPTIONS"),
    ],
)
async def test_other_methods_are_answered_properly(method: str, path: str, status: int, allow: str | None) -> None:
    """An Origin changes nothing."""
    async with a_server().client() as client:
        answer = await client.request(method, path, headers={"Origin": "https://example.org"})

    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert status != 405 or envelope(answer)["message"]


async def test_a_trailing_slash_is_no_redirect() -> None:
    """A redirect would lose the body."""
    async with a_server().client() as client:
        answer = await client.post(f"{CHAT}/", json=a_chat())

    assert answer.status_code == 200


async def test_two_hundred_kilobytes_of_headers_are_refused() -> None:
    """In the envelope."""
    async with a_server().client(headers={**AUTHORIZED, "X-Much": "x" * 200_000}) as client:
        answer = await client.get("/v1/models")

    assert answer.status_code == 431
    assert envelope(answer)


# --- validation -------------------------------------------------------------------------------------------------------

RAW: dict[str, tuple[bytes, str]] = {
    "malformed": (b"{", "application/json"),
    "empty": (b"", "application/json"),
    "a list": (b"[]", "application/json"),
    "null": (b"null", "application/json"),
    "not UTF-8": (b'{"model": "\xff"}', "application/json"),
    "a hundred thousand deep": (b"[" * 100_000, "application/json"),
    "half a character": (
        b'{"model": "qwen3", "messages": [{"role": "user", "content": "\\ud800"}]}',
        "application/json",
    ),
}


@pytest.mark.parametrize(("body", "kind"), RAW.values(), ids=RAW.keys())
async def test_what_is_no_json_object_is_one_readable_sentence(body: bytes, kind: str) -> None:
    """No Python, no list of errors."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, content=body, headers={"Content-Type": kind})

    message = envelope(answer)["message"]
    assert answer.status_code == 400
    assert message.count(". ") == 0
    assert not any(word in message for word in ("pydantic", "loc", "{'", "Traceback"))


@pytest.mark.parametrize("kind", ["text/plain", ""])
async def test_another_content_type_is_named(kind: str) -> None:
    """415."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, content=b"{}", headers={"Content-Type": kind})

    assert answer.status_code == 415


USER = {"role": "user", "content": "x"}
HALF_A_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"city"'}}
NAMED: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "model missing": ({"model": None}, 400, "model", None),
    "another model": ({"model": "gpt-4"}, 400, "model", "model_not_found"),
    "the model's path": ({"model": "/models/qwen3"}, 400, "model", "model_not_found"),
    "the model in another case": ({"model": "Qwen3"}, 400, "model", "model_not_found"),
    "messages null": ({"messages": None}, 422, "messages", None),
    "messages empty": ({"messages": []}, 400, "messages", None),
    "no role": ({"messages": [{"content": "x"}]}, 422, "messages[0].role", None),
    "an unknown role": ({"messages": [{"role": "robot", "content": "x"}]}, 400, "messages[0].role", None),
    "content of a wrong type": ({"messages": [USER, {"role": "user", "content": 5}]}, 422, "messages[1].content", None),
    "no content": ({"messages": [{"role": "user"}]}, 422, "messages[0].content", None),
    "an orphan tool message": (
        {"messages": [USER, {"role": "tool", "content": "x", "tool_call_id": "c"}]},
        400,
        "messages[1].tool_call_id",
        None,
    ),
    "an earlier call without JSON": (
        {"messages": [USER, {"role": "assistant", "tool_calls": [HALF_A_CALL]}]},
        400,
        "messages[1].tool_calls[0].function.arguments",
        None,
    ),
    "too many messages": ({"messages": [USER] * 4097}, 400, "messages", None),
    "a number as text": ({"max_tokens": "5"}, 422, "max_tokens", None),
    "true as a number": ({"max_tokens": True}, 422, "max_tokens", None),
    "half a token": ({"max_tokens": 1.5}, 422, "max_tokens", None),
    "yes as true": ({"stream": "yes"}, 422, "stream", None),
    "no tokens": ({"max_tokens": 0}, 400, "max_tokens", None),
    "fewer than none": ({"max_tokens": -1}, 400, "max_tokens", None),
    "too hot": ({"temperature": 3}, 400, "temperature", None),
    "too cold": ({"temperature": -1}, 400, "temperature", None),
    "top_p of nothing": ({"top_p": 0}, 400, "top_p", None),
    "top_p above all": ({"top_p": 1.5}, 400, "top_p", None),
    "a penalty too large": ({"presence_penalty": 3}, 400, "presence_penalty", None),
    "129 choices": ({"n": 129}, 400, "n", None),
    "a bias of 200": ({"logit_bias": {"5": 200}}, 400, "logit_bias", None),
}


@pytest.mark.parametrize(("fields", "status", "param", "code"), NAMED.values(), ids=NAMED.keys())
async def test_the_first_thing_that_is_wrong_is_named_by_its_place(
    fields: dict[str, Any], status: int, param: str, code: str | None
) -> None:
    """422 for what is missing or of a wrong type, 400 for what can't be; never what stood there."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, json=a_chat("the caller's content") | fields)

    error = envelope(answer)
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert "the caller's content" not in answer.text


async def test_a_temperature_that_is_no_number_is_refused() -> None:
    """JSON has no NaN."""
    body = b'{"model": "qwen3", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}'
    async with a_server().client() as client:
        answer = await client.post(CHAT, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert envelope(answer)


async def test_what_openai_takes_is_taken() -> None:
    """Two greedy choices, and fields that nobody knows."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, json=a_chat(n=2, temperature=0, something_new={"a": 1}))

    assert [choice["index"] for choice in answer.json()["choices"]] == [0, 1]


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"logprobs": 6}, "logprobs"), ({"n": 2, "best_of": 1}, "best_of"), ({"suffix": "x"}, "suffix")],
)
async def test_nothing_is_dropped_in_silence_from_a_text_completion(fields: dict[str, Any], param: str) -> None:
    """Served or refused."""
    async with a_server().client() as client:
        answer = await client.post(COMPLETIONS, json=a_completion(**fields))

    assert (answer.status_code, envelope(answer)["param"]) == (400, param)
