"""Every row of the error table, as a client gets it: one envelope, one sentence, the right status."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from qwen_server.engine.base import InvalidRequest
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.errors import KINDS, ApiError, Kind
from qwen_server.limits import Limits
from tests.server_unit.builders import AUTHORIZED, AServer, a_chat, a_completion, a_server

SECRET = "content-of-the-caller"


async def post(server: AServer, path: str, body: object, **headers: str) -> httpx.Response:
    """One POST; bytes go as they are, everything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with server.client({**AUTHORIZED, "Content-Type": "application/json", **headers}) as client:
        return await client.post(path, content=content)


def error(answer: httpx.Response) -> dict[str, Any]:
    """The envelope's content; its fields are the same for every error."""
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    return dict(body["error"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.status}-{kind.code}")
def test_a_row_has_a_status_a_type_and_one_sentence(kind: Kind) -> None:
    """The type is OpenAI's, the meaning ends with a full stop."""
    assert kind.type == ("server_error" if kind.status >= 500 else "invalid_request_error")
    assert kind.meaning.endswith(".")
    assert json.loads(ApiError(kind).envelope())["error"]["message"] == kind.meaning


CHAT_PROBLEMS: list[tuple[object, int, str | None, str | None, str]] = [
    (b"", 400, None, None, "The body is not valid JSON: EOF while parsing a value at line 1 column 0."),
    (b"{", 400, None, None, "The body is not valid JSON: EOF while parsing an object at line 1 column 1."),
    (b"\xff", 400, None, None, "The body is not valid JSON: expected value at line 1 column 1."),
    (b"[" * 20_000, 400, None, None, "The body is not valid JSON: recursion limit exceeded at line 1 column 202."),
    ([], 400, None, None, "The body must be a JSON object."),
    (None, 400, None, None, "The body must be a JSON object."),
    ("text", 400, None, None, "The body must be a JSON object."),
    ({}, 400, "model", None, "Invalid request: model parameter is required"),
    ({"model": None, "messages": 5}, 400, "model", None, "Invalid request: model parameter is required"),
    ({"model": 5}, 422, "model", None, "model must be a string."),
    ({"model": "qwen3"}, 422, "messages", None, "messages is required."),
    ({"model": "qwen3", "messages": None}, 422, "messages", None, "messages must be an array."),
    ({"model": "qwen3", "messages": []}, 400, "messages", None, "messages must not be empty."),
    ({"model": "qwen3", "messages": [5]}, 422, "messages[0]", None, "messages[0] must be an object."),
    (
        {"model": "gpt-4", "messages": [{"role": "user", "content": SECRET}]},
        400,
        "model",
        "model_not_found",
        "The model does not exist here: GET /v1/models lists the one that does.",
    ),
    (
        {"model": "/models/qwen3", "messages": [{"role": "user", "content": SECRET}]},
        400,
        "model",
        "model_not_found",
        "The model does not exist here: GET /v1/models lists the one that does.",
    ),
]

MESSAGE_PROBLEMS: list[tuple[object, int, str, str | None, str]] = [
    ({}, 422, "[1].role", None, "is required."),
    ({"content": SECRET}, 422, "[1].role", None, "is required."),
    ({"role": "user"}, 422, "[1].content", None, "is required."),
    (
        {"role": SECRET, "content": "x"},
        400,
        "[1].role",
        None,
        "must be one of system, developer, user, assistant, tool.",
    ),
    ({"role": 5, "content": "x"}, 400, "[1].role", None, "must be one of system, developer, user, assistant, tool."),
    ({"role": "user", "content": 5}, 422, "[1].content", None, "must be a string or an array of text parts."),
    ({"role": "user", "content": None}, 422, "[1].content", None, "must be a string or an array of text parts."),
    ({"role": "user", "content": []}, 400, "[1].content", None, "must not be empty."),
    ({"role": "user", "content": [SECRET]}, 422, "[1].content[0]", None, "must be an object."),
    ({"role": "user", "content": [{"type": "text"}]}, 422, "[1].content[0].text", None, "is required."),
    ({"role": "user", "content": [{"text": SECRET}]}, 422, "[1].content[0].type", None, "is required."),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": SECRET}}]},
        400,
        "[1].content[0].type",
        "unsupported_parameter",
        "must be `text`: other content is not supported yet.",
    ),
    ({"role": "assistant"}, 422, "[1].content", None, "is required unless the message holds tool_calls or reasoning."),
    ({"role": "tool", "content": SECRET}, 422, "[1].tool_call_id", None, "is required."),
    (
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": SECRET}}]},
        422,
        "[1].tool_calls[0].function.arguments",
        None,
        "is required.",
    ),
]

FIELD_PROBLEMS: list[tuple[str, object, int, str]] = [
    ("max_tokens", "5", 422, "must be a whole number."),
    ("max_tokens", True, 422, "must be a whole number."),
    ("max_tokens", 1.5, 422, "must be a whole number."),
    ("max_tokens", 2**31, 400, "must be at most 2147483647."),
    ("max_tokens", 10**4000, 400, "must be at most 2147483647."),
    ("logit_bias", {"9" * 5000: 1}, 400, "must have token ids as keys."),
    ("seed", 2**63, 400, "must be less than 9223372036854775808."),
    ("temperature", 10**400, 400, "must be a finite number."),
    ("max_completion_tokens", 0, 400, "must be at least 1."),
    ("max_completion_tokens", -1, 400, "must be at least 1."),
    ("temperature", "0", 422, "must be a number."),
    ("temperature", -1, 400, "must be at least 0."),
    ("temperature", 3, 400, "must be at most 2."),
    ("temperature", float("nan"), 400, "must be a finite number."),
    ("top_p", 0, 400, "must be more than 0."),
    ("top_p", 1.5, 400, "must be at most 1."),
    ("top_k", -2, 400, "must be at least -1."),
    ("min_p", 2, 400, "must be at most 1."),
    ("presence_penalty", 2.5, 400, "must be at most 2."),
    ("frequency_penalty", -2.5, 400, "must be at least -2."),
    ("n", 0, 400, "must be at least 1."),
    ("n", 129, 400, "must be at most 128."),
    ("seed", 1.5, 422, "must be a whole number."),
    ("stop", 5, 422, "must be a string or an array of strings."),
    ("stop", "", 400, "must not be empty."),
    ("stop", [SECRET] * 5, 400, "must have at most 4 items."),
    ("stream", "yes", 422, "must be true or false."),
    ("stream_options", [], 422, "must be an object."),
    ("logit_bias", {SECRET: 500}, 400, "must be at most 100."),
    ("logit_bias", {SECRET: 1}, 400, "must have token ids as keys."),
]

UNSUPPORTED: list[tuple[str, object]] = [
    ("functions", [{"name": SECRET}]),
    ("function_call", {"name": SECRET}),
    ("audio", {"voice": SECRET}),
    ("modalities", ["text", "audio"]),
]


@pytest.mark.parametrize(("body", "status", "param", "code", "message"), CHAT_PROBLEMS)
async def test_a_body_that_is_no_request_is_named(
    body: object, status: int, param: str | None, code: str | None, message: str
) -> None:
    """Malformed or impossible is 400, wrong type or missing field is 422."""
    answer = await post(a_server(), "/v1/chat/completions", body)

    assert answer.status_code == status
    assert error(answer) == {"message": message, "type": "invalid_request_error", "param": param, "code": code}


@pytest.mark.parametrize(("message", "status", "where", "code", "sentence"), MESSAGE_PROBLEMS)
async def test_a_wrong_message_is_named_by_its_place(
    message: object, status: int, where: str, code: str | None, sentence: str
) -> None:
    """The second of two messages is wrong; the first error alone is told, without what stood there."""
    body = {"model": "qwen3", "messages": [{"role": "user", "content": "x"}, message]}

    answer = await post(a_server(), "/v1/chat/completions", body)

    assert (answer.status_code, error(answer)["param"], error(answer)["code"]) == (status, f"messages{where}", code)
    assert error(answer)["message"] == f"messages{where} {sentence}"
    assert SECRET not in answer.text


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize(("field", "value", "status", "sentence"), FIELD_PROBLEMS)
async def test_a_wrong_parameter_is_named(path: str, field: str, value: object, status: int, sentence: str) -> None:
    """Nothing is coerced and nothing out of range is taken, by either endpoint."""
    if field == "max_completion_tokens" and path == "/v1/completions":
        path = "/v1/chat/completions"  # the newer name exists for chats alone
    body = {"model": "qwen3", "messages": [{"role": "user", "content": SECRET}], "prompt": SECRET, field: value}

    answer = await post(a_server(), path, body)

    assert answer.status_code == status
    assert error(answer)["message"] == f"{field} {sentence}"
    assert error(answer)["param"] == field
    assert SECRET not in answer.text


@pytest.mark.parametrize(("field", "value"), UNSUPPORTED)
async def test_what_is_not_supported_yet_is_said(field: str, value: object) -> None:
    """One clear sentence instead of an answer that ignores the wish."""
    answer = await post(a_server(), "/v1/chat/completions", a_chat() | {field: value})

    assert answer.status_code == 400
    assert error(answer) == {
        "message": f"{field} is not supported yet.",
        "type": "invalid_request_error",
        "param": field,
        "code": "unsupported_parameter",
    }


@pytest.mark.parametrize("value", [SECRET, "", 5, {"name": SECRET}])
async def test_a_template_of_the_requests_own_is_refused_for_good(value: object) -> None:
    """Whoever chooses the template chooses every mark that keeps roles apart."""
    answer = await post(a_server(), "/v1/chat/completions", a_chat(chat_template=value))

    assert answer.status_code == 400
    assert error(answer)["message"] == "chat_template is not accepted: the model's own template is used."
    assert (error(answer)["param"], error(answer)["code"]) == ("chat_template", "unsupported_parameter")


@pytest.mark.parametrize(
    ("field", "value"),
    [("suffix", "after"), ("suffix", 0)],
)
async def test_what_text_completions_do_not_support_yet_is_said(field: str, value: object) -> None:
    """The same for the older interface."""
    answer = await post(a_server(), "/v1/completions", a_completion(**{field: value}))

    assert (answer.status_code, error(answer)["message"]) == (400, f"{field} is not supported yet.")


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [], "tool_choice": "auto", "response_format": {"type": "text"}, "logprobs": False},
        {"tools": None, "stop": None, "seed": None, "n": None, "stream": None, "logit_bias": None},
        {"user": "u", "metadata": {"a": "b"}, "store": True, "service_tier": "auto", "parallel_tool_calls": True},
        {"no_such_field": [[[{"deep": 1}]]]},
        {"logit_bias": {"5": -100, "6": 100}, "presence_penalty": -2, "frequency_penalty": 2, "seed": -(2**63)},
    ],
)
async def test_what_asks_for_nothing_is_taken(fields: dict[str, object]) -> None:
    """Null, neutral values and unknown fields change nothing."""
    answer = await post(a_server(), "/v1/chat/completions", a_chat() | fields)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("prompt", "status", "where", "sentence"),
    [
        (None, 422, "prompt", "must be a string, an array of strings, or token ids."),
        (5, 422, "prompt", "must be a string, an array of strings, or token ids."),
        ({}, 422, "prompt", "must be a string, an array of strings, or token ids."),
        ([], 400, "prompt", "must not be empty."),
        ([[]], 400, "prompt[0]", "must not be empty."),
        ([1, "a"], 422, "prompt[1]", "must be a whole number."),
        (["a", 1], 422, "prompt[1]", "must be a string."),
        ([[1], "a"], 422, "prompt[1]", "must be an array."),
        ([-1], 400, "prompt", "holds a token id that the model does not have."),
    ],
)
async def test_a_wrong_prompt_is_named_by_its_place(prompt: object, status: int, where: str, sentence: str) -> None:
    """A text completion takes four forms of prompt, and no mixture."""
    answer = await post(a_server(), "/v1/completions", a_completion(prompt))

    assert (answer.status_code, error(answer)["param"]) == (status, where)
    assert error(answer)["message"] == f"{where} {sentence}"


async def test_a_text_completion_without_a_prompt_is_named() -> None:
    """It is a missing field."""
    answer = await post(a_server(), "/v1/completions", {"model": "qwen3"})

    assert (answer.status_code, error(answer)["message"]) == (422, "prompt is required.")


async def test_stream_options_without_a_stream_are_refused() -> None:
    """As OpenAI does."""
    answer = await post(a_server(), "/v1/chat/completions", a_chat(stream_options={"include_usage": True}))

    assert (answer.status_code, error(answer)["param"]) == (400, "stream_options")


async def test_too_many_sequences_in_one_request_are_refused() -> None:
    """n choices for each of many prompts add up."""
    answer = await post(a_server(), "/v1/completions", a_completion(["x"] * 9, n=128))

    assert (answer.status_code, error(answer)["message"]) == (
        400,
        "n times the number of prompts must be at most 1024.",
    )


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl", "multipart/form-data"]
)
async def test_a_body_of_another_type_is_refused(content_type: str) -> None:
    """JSON has to be announced as JSON."""
    answer = await post(a_server(), "/v1/chat/completions", a_chat(), **{"Content-Type": content_type})

    assert (answer.status_code, error(answer)["message"]) == (415, "The Content-Type must be application/json.")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
async def test_parameters_of_the_content_type_do_not_matter(content_type: str) -> None:
    """Nor does its case."""
    answer = await post(a_server(), "/v1/chat/completions", a_chat(), **{"Content-Type": content_type})

    assert answer.status_code == 200


async def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    """Nobody has to send a gigabyte to learn that it is too much."""
    headers = {"Content-Length": str(10**9)}
    answer = await post(a_server(), "/v1/chat/completions", b"{}", **headers)

    assert (answer.status_code, error(answer)["message"]) == (413, "The body is larger than 8388608 bytes.")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_grows_too_large_is_refused() -> None:
    """Also when it announces nothing."""
    server = a_server(limits=Limits(body_bytes=100))

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 50

    async with server.client({**AUTHORIZED, "Content-Type": "application/json"}) as client:
        answer = await client.post("/v1/completions", content=parts())

    assert (answer.status_code, error(answer)["message"]) == (413, "The body is larger than 100 bytes.")


async def test_headers_that_are_too_large_are_refused() -> None:
    """Ten thousand bytes are enough for every honest client."""
    async with a_server().client({**AUTHORIZED, "X-Large": "x" * 10_000}) as client:
        answer = await client.get("/v1/models")

    assert (answer.status_code, error(answer)["message"]) == (431, "The headers are larger than 10000 bytes.")


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        ("a b c d e f g h i j", {}, "10 tokens, but the messages alone have 10: shorten the messages."),
        ("a " * 50, {}, "10 tokens, but the messages alone have 51: shorten the messages."),
        (
            "a b c",
            {"max_tokens": 8},
            "10 tokens, but 11 were requested (3 in the messages, 8 in the completion):"
            " shorten the messages or lower max_tokens.",
        ),
        (
            "a b c",
            {"max_tokens": 1, "max_completion_tokens": 11},
            "10 tokens, but 14 were requested (3 in the messages, 11 in the completion):"
            " shorten the messages or lower max_tokens.",
        ),
    ],
)
async def test_what_does_not_fit_the_context_is_refused_with_the_numbers(
    content: str, fields: dict[str, object], message: str
) -> None:
    """The context is hard; nothing is cut in silence."""
    answer = await post(a_server(context=10), "/v1/chat/completions", a_chat(content, **fields))

    assert answer.status_code == 400
    assert error(answer) == {
        "message": f"This model's maximum context length is {message}",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }


async def test_a_completion_is_cut_to_the_context_only_where_the_operator_says_so() -> None:
    """With clamping, three of ten tokens are taken and seven are left."""
    answer = await post(
        a_server(context=10, clamp=True), "/v1/completions", a_completion("a b c", max_tokens=50, ignore_eos=True)
    )

    assert answer.json()["usage"] == {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
    assert answer.json()["choices"][0]["finish_reason"] == "length"


async def test_a_prompt_is_never_cut() -> None:
    """Not even with clamping."""
    answer = await post(a_server(context=10, clamp=True), "/v1/completions", a_completion("a " * 10))

    assert (answer.status_code, error(answer)["code"]) == (400, "context_length_exceeded")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/models/qwen3", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/chat/completions", "POST, OPTIONS"),
        ("HEAD", "/v1/completions", "POST, OPTIONS"),
        ("BREW", "/v1/models", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allow: str) -> None:
    """405 with Allow."""
    async with a_server().client() as client:
        answer = await client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert method == "HEAD" or error(answer)["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models", "/docs", "/metrics", "/v1/chat/completions/extra", "//"])
async def test_an_unknown_path_gets_the_envelope(path: str) -> None:
    """404, with a key."""
    async with a_server().client() as client:
        answer = await client.get(path)

    assert (answer.status_code, error(answer)["message"]) == (404, "There is nothing at this path.")


async def test_an_unknown_model_is_not_found_by_its_id() -> None:
    """Here the model is the path itself, so 404 it is."""
    async with a_server().client() as client:
        answer = await client.get("/v1/models/gpt-4")

    assert (answer.status_code, error(answer)["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("code", "expected"),
    [(None, None), ("context_length_exceeded", "context_length_exceeded"), ("whatever", None)],
)
async def test_what_only_the_engine_can_judge_keeps_its_status(
    *, stream: bool, code: str | None, expected: str | None
) -> None:
    """In a stream too, because the first output is awaited before the headers."""

    class Refusing(ScriptedEngine):
        async def _first_token(self) -> None:
            raise InvalidRequest("logit_bias names a token that does not exist.", "logit_bias", code)

    answer = await post(a_server(engine=Refusing()), "/v1/chat/completions", a_chat(stream=stream))

    assert answer.status_code == 400
    assert error(answer) == {
        "message": "logit_bias names a token that does not exist.",
        "type": "invalid_request_error",
        "param": "logit_bias",
        "code": expected,
    }


@pytest.mark.parametrize("stream", [False, True])
async def test_a_dead_engine_is_an_error_of_the_server(*, stream: bool) -> None:
    """500, before the first token even in a stream."""
    server = a_server(Script(dies_after_tokens=0))

    answer = await post(server, "/v1/chat/completions", a_chat(stream=stream))

    assert (answer.status_code, error(answer)["code"]) == (500, "engine_dead")


class Defective(ScriptedEngine):
    """An engine with a defect whose message holds content."""

    async def ping(self) -> None:
        """Fail as no engine should."""
        raise KeyError(SECRET)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_defect_of_ours_is_opaque_and_found_by_its_request_id(*, stream: bool) -> None:
    """The client learns an id, the journal the place under the same id, and neither what was asked."""
    server = a_server(engine=Defective())

    answer = await post(server, "/v1/chat/completions", a_chat(SECRET, stream=stream))

    assert (answer.status_code, error(answer)["type"], error(answer)["code"]) == (500, "server_error", None)
    assert answer.headers["x-request-id"] in error(answer)["message"]
    (line,) = server.journal()
    assert (line["request"], line["error"]) == (answer.headers["x-request-id"], "KeyError")
    assert SECRET not in answer.text + server.written.getvalue()


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/nowhere", "/v1/chat/completions"])
async def test_before_the_model_is_loaded_everything_is_answered_honestly(path: str) -> None:
    """503 and when to come back."""
    async with a_server(loaded=False).client() as client:
        answer = await client.get(path)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert error(answer) == {
        "message": "The model is still loading; try again in a few seconds.",
        "type": "server_error",
        "param": None,
        "code": "model_loading",
    }


@pytest.mark.looptime
async def test_a_body_that_never_ends_is_given_up() -> None:
    """After a minute without the rest of it."""
    server = a_server()

    async def parts() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(10_000)

    async with server.client({**AUTHORIZED, "Content-Type": "application/json"}) as client:
        answer = await client.post("/v1/completions", content=parts())

    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert asyncio.get_running_loop().time() == pytest.approx(60)
