"""The published interface, example by example: the same requests, and answers of the same shape to the letter.

The examples stand here as the reference shows them; `…` marks what it leaves open.
"""

import json
import re
from typing import Any

import httpx
import pytest

from qwen_server.engine.scripted import Script
from tests.server_unit.builders import AUTHORIZED, KEY, AServer, a_server

MODELS = """{
  "object": "list",
  "data": [
    {
      "id": "qwen3",
      "object": "model",
      "created": 1754001981,
      "owned_by": "vllm",
      "root": "/models/qwen3",
      "parent": null,
      "max_model_len": 200000,
      "permission": ["…"]
    }
  ]
}"""

CHAT = """{
  "id": "chatcmpl-…",
  "object": "chat.completion",
  "created": 1754001981,
  "model": "qwen3",
  "choices": [
    {
      "index": 0,
      "message": {
        "role": "assistant",
        "content": "Generated response here..."
      },
      "finish_reason": "stop"
    }
  ],
  "usage": {
    "prompt_tokens": 4,
    "completion_tokens": 3,
    "total_tokens": 7
  }
}"""

STREAM = (
    'data: {"id":"chatcmpl-…","object":"chat.completion.chunk","created":1754001981,"model":"qwen3",'
    '"choices":[{"index":0,"delta":{"role":"assistant","content":"1"},"finish_reason":null}]}\n\n'
    'data: {"id":"chatcmpl-…","object":"chat.completion.chunk","created":1754001981,"model":"qwen3",'
    '"choices":[{"index":0,"delta":{"content":", 2"},"finish_reason":"stop"}]}\n\n'
    "data: [DONE]\n\n"
)

ERROR = """{
  "error": {
    "message": "Invalid request: model parameter is required",
    "type": "invalid_request_error",
    "code": null
  }
}"""

HELLO = {"model": "qwen3", "messages": [{"role": "user", "content": "Hello, how are you?"}], "max_tokens": 100}


def compact(text: str) -> str:
    """JSON without the white space that a page has and an answer has not."""
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def left_open(text: str) -> str:
    """An answer with `…` where the reference has it."""
    return re.sub(r"(chatcmpl|cmpl)-[0-9a-f]+", r"\1-…", text)


async def ask(server: AServer, method: str, path: str, body: object = None) -> httpx.Response:
    """A request as the reference's curl lines make it."""
    async with server.client({**AUTHORIZED, "Content-Type": "application/json"}) as client:
        return await client.request(method, path, content=json.dumps(body).encode() if body else b"")


async def test_every_endpoint_asks_for_a_bearer_token() -> None:
    """`Authorization: Bearer your-api-key`, for /health too."""
    async with a_server().client(headers={}) as client:
        without = [await client.get(path) for path in ("/health", "/v1/models")]
        with_key = [await client.get(answer.url.path, headers={"Authorization": f"Bearer {KEY}"}) for answer in without]

    assert [answer.status_code for answer in without] == [401, 401]
    assert [answer.status_code for answer in with_key] == [200, 200]


async def test_models_are_listed_as_in_the_reference() -> None:
    """Field by field, in the same order."""
    answer = await ask(a_server(), "GET", "/v1/models")

    shown = answer.json()
    assert [entry["object"] for entry in shown["data"][0]["permission"]] == ["model_permission"]
    shown["data"][0]["permission"] = ["…"]
    assert json.dumps(shown, separators=(",", ":"), ensure_ascii=False) == compact(MODELS)


async def test_a_chat_is_answered_as_in_the_reference() -> None:
    """Byte by byte, but for the id."""
    answer = await ask(a_server(Script(reply="Generated response here...")), "POST", "/v1/chat/completions", HELLO)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert left_open(answer.text) == compact(CHAT)


async def test_the_advanced_parameters_are_taken() -> None:
    """All of them, `stop: null` included."""
    body = {
        "model": "qwen3",
        "messages": [
            {"role": "system", "content": "You are a helpful coding assistant."},
            {"role": "user", "content": "Write a Python function to calculate fibonacci numbers"},
        ],
        "max_tokens": 1000,
        "temperature": 0.7,
        "top_p": 0.95,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "stop": None,
        "stream": False,
    }

    assert (await ask(a_server(), "POST", "/v1/chat/completions", body)).status_code == 200


async def test_a_chat_is_streamed_as_in_the_reference() -> None:
    """Byte by byte, but for the id; the reason stands in the last chunk."""
    answer = await ask(
        a_server(Script(reply="1, 2")),
        "POST",
        "/v1/chat/completions",
        {"model": "qwen3", "messages": [{"role": "user", "content": "Count to 10"}], "stream": True, "max_tokens": 100},
    )

    split = STREAM.replace('"content":"1"', '"content":"1,"').replace('"content":", 2"', '"content":" 2"')
    assert left_open(answer.text) == split


async def test_a_text_is_completed_as_openai_does_it() -> None:
    """The reference shows the request alone; the answer has OpenAI's fields in OpenAI's order."""
    body = {"model": "qwen3", "prompt": "The capital of France is", "max_tokens": 10, "temperature": 0.0}

    answer = await ask(a_server(Script(reply=" Paris.")), "POST", "/v1/completions", body)

    assert left_open(answer.text) == (
        '{"id":"cmpl-…","object":"text_completion","created":1754001981,"model":"qwen3",'
        '"choices":[{"text":" Paris.","index":0,"logprobs":null,"finish_reason":"stop"}],'
        '"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}'
    )


async def test_an_error_is_told_as_in_the_reference() -> None:
    """OpenAI's fourth field, `param`, stands between type and code; the rest is the same to the letter."""
    answer = await ask(a_server(), "POST", "/v1/chat/completions", {"messages": HELLO["messages"]})

    shown: dict[str, dict[str, Any]] = answer.json()
    assert shown["error"].pop("param") == "model"
    assert (answer.status_code, json.dumps(shown, separators=(",", ":"))) == (400, compact(ERROR))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"model": "/models/qwen3"}, 400),
        ({"temperature": 7}, 400),
        ({"max_tokens": 200_000}, 400),
        ({"max_tokens": "100"}, 422),
    ],
)
async def test_statuses_are_those_of_the_reference(change: dict[str, object], status: int) -> None:
    """200, 400 for invalid parameters, 422 where validation fails."""
    answer = await ask(a_server(), "POST", "/v1/chat/completions", {**HELLO, **change})

    assert answer.status_code == status


async def test_health_is_basic_information() -> None:
    """Whether it serves, what, and how busy it is."""
    answer = await ask(a_server(), "GET", "/health")

    assert answer.text == '{"status":"ok","model":"qwen3","version":"0.0.0","running":0,"waiting":0}'
