"""Whole answers and streams: two forms of the same deltas."""

import json
from typing import Any

import httpx
import pytest

from qwen_server.engine.base import Sampling
from qwen_server.engine.scripted import Script, ScriptedEngine
from tests.server_unit.builders import CREATED, AServer, a_chat, a_completion, a_server, events, said

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


async def post(server: AServer, path: str, body: object) -> httpx.Response:
    """One request with a key."""
    async with server.client() as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer


def chunk(delta: dict[str, str], reason: str | None, index: int = 0, **more: object) -> dict[str, object]:
    """A chunk of the first chat that a server answers."""
    return {
        "id": f"chatcmpl-{1:024x}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "qwen3",
        "choices": [{"index": index, "delta": delta, "finish_reason": reason}],
        **more,
    }


async def test_a_stream_opens_with_role_and_text_and_closes_with_the_reason() -> None:
    """Three tokens are three chunks; the last carries the reason, and then the stream is done."""
    answer = await post(a_server(), CHAT, a_chat("one two three", stream=True))

    assert events(answer.text) == [
        chunk({"role": "assistant", "content": "one"}, None),
        chunk({"content": " two"}, None),
        chunk({"content": " three"}, "stop"),
        "[DONE]",
    ]


async def test_a_stream_of_one_token_is_one_chunk() -> None:
    """Role, text and reason together."""
    answer = await post(a_server(), CHAT, a_chat("one", stream=True))

    assert events(answer.text) == [chunk({"role": "assistant", "content": "one"}, "stop"), "[DONE]"]


async def test_the_headers_of_a_stream_keep_every_proxy_from_holding_it_back() -> None:
    """No cache, no buffering, and the type that clients look for."""
    answer = await post(a_server(), CHAT, a_chat(stream=True))

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"


async def test_usage_in_a_stream_comes_when_it_is_asked_for() -> None:
    """Null in every chunk, then once with the numbers and no choices."""
    answer = await post(a_server(), CHAT, a_chat("one two", stream=True, stream_options={"include_usage": True}))

    assert events(answer.text) == [
        chunk({"role": "assistant", "content": "one"}, None, usage=None),
        chunk({"content": " two"}, "stop", usage=None),
        chunk({}, None) | {"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}},
        "[DONE]",
    ]


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
async def test_usage_in_a_stream_does_not_come_unasked(options: object) -> None:
    """Not even as null."""
    answer = await post(a_server(), CHAT, a_chat(stream=True, stream_options=options))

    assert "usage" not in answer.text


@pytest.mark.parametrize("temperature", [None, 0, 1])
async def test_several_choices_come_with_their_indexes(temperature: float | None) -> None:
    """Greedy ones too, which engines refuse to give in one go; the prompt is counted once."""
    body = a_chat("one two", n=3, temperature=temperature)

    whole = (await post(a_server(), CHAT, body)).json()
    stream = events((await post(a_server(), CHAT, body | {"stream": True})).text)

    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert whole["usage"] == {"prompt_tokens": 2, "completion_tokens": 6, "total_tokens": 8}
    assert [said(stream, index) for index in range(3)] == ["one two"] * 3
    roles = [event["choices"][0]["index"] for event in stream[:-1] if "role" in event["choices"][0]["delta"]]
    assert sorted(roles) == [0, 1, 2]
    assert stream.count("[DONE]") == 1


@pytest.mark.parametrize(
    ("fields", "text", "reason"),
    [
        ({"max_tokens": 2}, "one two", "length"),
        ({"max_completion_tokens": 2, "max_tokens": 3}, "one two", "length"),
        ({"max_tokens": 50}, "one two three four", "stop"),
        ({"stop": " three"}, "one two", "stop"),
        ({"stop": ["four", "two thr"]}, "one ", "stop"),
        ({"stop": ["never", "e t"]}, "on", "stop"),
        ({"stop": "one"}, "", "stop"),
        ({"stop": "four five"}, "one two three four", "stop"),
        ({"max_tokens": 6, "ignore_eos": True}, "one two three fourone two", "length"),
    ],
)
async def test_an_answer_ends_where_it_was_asked_to(fields: dict[str, object], text: str, reason: str) -> None:
    """Whole and streamed say the same, and a stop string is never shown, not even in part."""
    body = a_chat("one two three four") | fields

    whole = (await post(a_server(), CHAT, body)).json()["choices"][0]
    stream = events((await post(a_server(), CHAT, body | {"stream": True})).text)

    assert whole == {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    assert said(stream) == text
    assert stream[-2]["choices"][0]["finish_reason"] == reason
    assert stream[-1] == "[DONE]"


async def test_an_empty_answer_still_has_a_role() -> None:
    """The only chunk opens and closes the choice."""
    answer = await post(a_server(), CHAT, a_chat("one", stop="one", stream=True))

    assert events(answer.text) == [chunk({"role": "assistant", "content": ""}, "stop"), "[DONE]"]


async def test_a_choice_that_ends_without_text_ends_with_an_empty_delta() -> None:
    """As OpenAI ends it."""
    answer = await post(a_server(), CHAT, a_chat("one two", stop=" two", stream=True))

    assert events(answer.text) == [
        chunk({"role": "assistant", "content": "one"}, None),
        chunk({}, "stop"),
        "[DONE]",
    ]


@pytest.mark.parametrize(
    "text",
    [
        'quotes " and \\ strokes',
        "line\nbreaks\r\n\ttabs",
        "ünïcödé 日本語 🦆",
        "data: [DONE]\n\ndata: x",
        "\u2028\x00\x7f",
    ],
)
async def test_every_text_survives_the_way(text: str) -> None:
    """Whole and streamed give back exactly what the engine said."""
    server = a_server(Script(reply=text))

    whole = (await post(server, CHAT, a_chat())).json()["choices"][0]["message"]["content"]
    stream = events((await post(server, CHAT, a_chat(stream=True))).text)
    text_stream = events((await post(server, COMPLETIONS, a_completion(stream=True, max_tokens=99))).text)

    assert (whole, said(stream)) == (text, text)
    assert "".join(event["choices"][0]["text"] for event in text_stream[:-1]) == text


@pytest.mark.parametrize(
    ("prompt", "texts", "tokens"),
    [
        ("a b c", ["a b c"], 3),
        (["a b", "c"], ["a b", "c"], 3),
        ([7, 8], ["<7> <8>"], 2),
        ([[7, 8], [9]], ["<7> <8>", "<9>"], 3),
    ],
)
async def test_a_text_completion_takes_four_forms_of_prompt(prompt: object, texts: list[str], tokens: int) -> None:
    """One choice a prompt, in the order of the prompts, streamed or not."""
    whole = (await post(a_server(), COMPLETIONS, a_completion(prompt))).json()
    stream = events((await post(a_server(), COMPLETIONS, a_completion(prompt, stream=True))).text)

    assert whole["choices"] == [
        {"text": text, "index": index, "logprobs": None, "finish_reason": "stop"} for index, text in enumerate(texts)
    ]
    assert whole["usage"]["prompt_tokens"] == tokens
    streamed = [event["choices"][0] for event in stream[:-1]]
    assert [
        "".join(choice["text"] for choice in streamed if choice["index"] == index) for index in range(len(texts))
    ] == texts


async def test_several_choices_of_several_prompts_are_numbered_through() -> None:
    """The choices of the first prompt come first."""
    answer = await post(a_server(), COMPLETIONS, a_completion(["a", "b"], n=2))

    assert [(choice["index"], choice["text"]) for choice in answer.json()["choices"]] == [
        (0, "a"),
        (1, "a"),
        (2, "b"),
        (3, "b"),
    ]


async def test_a_text_completion_has_sixteen_tokens_unless_it_asks_for_more() -> None:
    """OpenAI's default."""
    answer = await post(a_server(), COMPLETIONS, a_completion("word", ignore_eos=True))

    assert answer.json()["usage"]["completion_tokens"] == 16


class Listening(ScriptedEngine):
    """An engine that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.samplings: list[Sampling] = []
        self.messages: list[dict[str, Any]] = []

    async def render_chat(self, messages: Any, options: Any) -> Any:
        """Remember the messages."""
        self.messages = json.loads(json.dumps(messages))
        return await super().render_chat(messages, options)

    def generate(self, prompt: Any, sampling: Sampling, request_id: str, *, stream: bool) -> Any:
        """Remember the sampling."""
        self.samplings.append(sampling)
        return super().generate(prompt, sampling, request_id, stream=stream)


async def test_what_is_left_open_is_left_to_the_model() -> None:
    """None is the model's own default; only the length is always given."""
    engine = Listening()

    await post(a_server(engine=engine, context=100), CHAT, a_chat("one two"))

    assert engine.samplings == [Sampling(max_tokens=98)]


async def test_every_sampling_parameter_reaches_the_engine() -> None:
    """Under its own name, whole numbers as numbers."""
    engine = Listening()
    fields: dict[str, object] = {
        "temperature": 1,
        "top_p": 0.9,
        "top_k": 20,
        "min_p": 0.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "repetition_penalty": 1.05,
        "seed": 42,
        "ignore_eos": True,
        "max_tokens": 5,
        "n": 2,
        "stop": ["x", "y"],
        "logit_bias": {"7": -100},
    }

    await post(a_server(engine=engine), CHAT, a_chat("one two") | fields)

    expected: Any = fields | {"stop": ("x", "y"), "logit_bias": {7: -100.0}}
    assert engine.samplings == [Sampling(**expected)]


async def test_messages_reach_the_template_in_plain_form() -> None:
    """`developer` is `system`, parts are one text, calls and their answers stay what they are."""
    engine = Listening()
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Done."},
    ]

    await post(a_server(engine=engine), CHAT, {"model": "qwen3", "messages": messages})

    assert engine.messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one\ntwo", "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Done."},
    ]


@pytest.mark.parametrize(
    "names", [("reasoning",), ("reasoning_content",), ("reasoning", "reasoning_content")], ids="+".join
)
async def test_what_the_model_thought_goes_back_to_its_template(names: tuple[str, ...]) -> None:
    """Under either of the names that an answer gives it; a model in a loop of tools goes on from its own thoughts."""
    engine = Listening()
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    messages = [
        {"role": "user", "content": "Where?"},
        said | dict.fromkeys(names, "Hm."),
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
        {"role": "assistant", "content": "There.", "reasoning": None, "reasoning_content": None},
        {"role": "user", "content": "Sure?"},
    ]

    await post(a_server(engine=engine), CHAT, {"model": "qwen3", "messages": messages})

    assert engine.messages[1] == said | {"reasoning": "Hm."}
    assert engine.messages[3] == {"role": "assistant", "content": "There."}


async def test_an_answer_that_was_cut_off_while_the_model_reasoned_can_be_handed_back() -> None:
    """Put together from a stream it has no content, for none has come."""
    engine = Listening()
    asked = {"role": "user", "content": "Why?"}
    cut = {"role": "assistant", "content": None, "reasoning_content": "Hm, so"}

    answer = await post(a_server(engine=engine), CHAT, {"model": "qwen3", "messages": [asked, cut, asked]})

    assert answer.status_code == 200
    assert engine.messages[1] == {"role": "assistant", "content": None, "reasoning": "Hm, so"}


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/models/qwen3"])
async def test_head_is_get_without_the_body(path: str) -> None:
    """The length is that of the body that GET would send."""
    async with a_server().client() as client:
        got, head = await client.get(path), await client.head(path)

    assert head.status_code == got.status_code == 200
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/health", "GET, HEAD, OPTIONS"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/v1/chat/completions", "POST, OPTIONS"),
        ("/v1/completions", "POST, OPTIONS"),
    ],
)
async def test_options_lists_the_methods(path: str, allow: str) -> None:
    """Without a body."""
    async with a_server().client() as client:
        answer = await client.options(path)

    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allow, b"")


@pytest.mark.parametrize("path", ["/health/", "/v1/models/", "/v1/models/qwen3/"])
async def test_a_trailing_slash_is_the_same_path(path: str) -> None:
    """No redirect."""
    async with a_server().client() as client:
        answer = await client.get(path)

    assert answer.status_code == 200


async def test_a_trailing_slash_does_not_lose_a_body() -> None:
    """Which a redirect would."""
    answer = await post(a_server(), CHAT + "/", a_chat("one"))

    assert answer.json()["choices"][0]["message"]["content"] == "one"


async def test_every_answer_carries_the_id_of_its_request() -> None:
    """The id of a completion is made of it."""
    answer = await post(a_server(), CHAT, a_chat())

    assert answer.json()["id"] == f"chatcmpl-{answer.headers['x-request-id']}"


@pytest.mark.parametrize("path", ["Qwen/Qwen3-Coder", "Qwen%2FQwen3-Coder", "Qwen/Qwen3-Coder/"])
async def test_a_name_with_a_slash_is_a_name(path: str) -> None:
    """As hubs name their models; clients send the slash as it is or escaped."""
    async with a_server(served_name="Qwen/Qwen3-Coder").client() as client:
        answer = await client.get(f"/v1/models/{path}")

    assert (answer.json()["id"], answer.json()["root"]) == ("Qwen/Qwen3-Coder", "/models/Qwen/Qwen3-Coder")
