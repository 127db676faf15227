"""Logprobs, echo and best_of: OpenAI's shapes, whole and streamed, and only where they are asked for."""

from typing import Any

import httpx
import orjson
import pytest

from qwen_server.engine.base import Delta, TokenLogprob
from qwen_server.engine.scripted import Script
from qwen_server.generation.logprobs import chat_token, text_logprobs
from qwen_server.generation.replies import Choice, fold_chat_tokens
from qwen_server.generation.selection import best
from tests.server_unit.builders import AServer, a_chat, a_completion, a_server, events, said

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
HERMES = "{{ tools }}<tool_call>{}</tool_call>"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = '<tool_call> {"name": "weather", "arguments": {"city": "Paris"}} </tool_call>'


async def post(path: str, body: dict[str, object], server: AServer | None = None) -> httpx.Response:
    """One request with a key."""
    async with (server or a_server()).client() as client:
        return await client.post(path, json=body)


async def whole(path: str, body: dict[str, object], server: AServer | None = None) -> dict[str, Any]:
    """A whole reply."""
    answer = await post(path, body, server)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def streamed(path: str, body: dict[str, object], server: AServer | None = None) -> list[dict[str, Any]]:
    """The choices of a stream, one a chunk."""
    answer = await post(path, body | {"stream": True}, server)
    *chunks, done = events(answer.text)
    assert done == "[DONE]"
    return [choice for chunk in chunks for choice in chunk["choices"]]


def token(text: str, logprob: float, *others: tuple[str, float]) -> dict[str, object]:
    """A token as a chat shows it."""
    shown = [
        {"token": each, "logprob": value, "bytes": list(each.encode())} for each, value in ((text, logprob), *others)
    ]
    return {**shown[0], "top_logprobs": shown[bool(not others) :] if others else []}


async def test_a_chat_shows_each_token_with_its_logprob() -> None:
    """The alternatives are those that were asked for, the likeliest first."""
    reply = await whole(CHAT, a_chat("one twö", logprobs=True, top_logprobs=2))

    (choice,) = reply["choices"]
    assert list(choice) == ["index", "message", "logprobs", "finish_reason"]
    assert choice["message"] == {"role": "assistant", "content": "one twö"}
    assert choice["logprobs"] == {
        "content": [token("one", -0.5, ("one~1", -1.5)), token(" twö", -1.0, (" twö~1", -2.0))],
        "refusal": None,
    }


@pytest.mark.parametrize("fields", [{"logprobs": True}, {"logprobs": True, "top_logprobs": 0}])
async def test_alternatives_come_when_they_are_asked_for(fields: dict[str, object]) -> None:
    """Without them the list is empty, as with OpenAI."""
    reply = await whole(CHAT, a_chat("one", **fields))

    assert reply["choices"][0]["logprobs"]["content"] == [token("one", -0.5)]


@pytest.mark.parametrize("temperature", [0, 1])
async def test_a_chats_stream_carries_the_logprobs_of_its_text(temperature: float) -> None:
    """Chunk by chunk and choice by choice; together they are those of the whole answer."""
    body = a_chat("one two three", logprobs=True, top_logprobs=1, n=2, temperature=temperature)

    reply, chunks = await whole(CHAT, body), await streamed(CHAT, body)

    for choice in reply["choices"]:
        own = [each for each in chunks if each["index"] == choice["index"]]
        shown = [each["logprobs"]["content"] for each in own if each["logprobs"]]
        assert [found for content in shown for found in content] == choice["logprobs"]["content"]
        assert ["".join(found["token"] for found in content) for content in shown] == ["one", " two", " three"]
        assert own[-1] == {"index": choice["index"], "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert list(chunks[0]) == ["index", "delta", "logprobs", "finish_reason"]
    assert chunks[0]["delta"] == {"role": "assistant", "content": "one"}


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
@pytest.mark.parametrize("stop", ["two three", "one", " three", "never"])
async def test_no_token_is_lost_where_text_is_held_back(path: str, stop: str) -> None:
    """Streamed and whole have the same ones, the stop string's own included: they were generated."""
    asked: dict[str, object] = {"logprobs": True} if path == CHAT else {"logprobs": 1}
    body = (a_chat if path == CHAT else a_completion)("one two three", stop=stop, **asked)

    reply, chunks = await whole(path, body), await streamed(path, body)

    key = "content" if path == CHAT else "tokens"
    found = [each for chunk in chunks if chunk["logprobs"] for each in chunk["logprobs"][key]]
    assert found == reply["choices"][0]["logprobs"][key]
    assert len(found) == reply["usage"]["completion_tokens"]


async def test_a_call_has_the_logprobs_of_all_its_tokens() -> None:
    """Markup included, since it was generated: OpenAI's shape has no other place for them."""
    server = a_server(Script(reply=f"Well. {CALL}", chat_template=HERMES))
    body = a_chat(tools=[WEATHER], logprobs=True)

    reply, chunks = await whole(CHAT, body, server), await streamed(CHAT, body, server)

    (choice,) = reply["choices"]
    assert "".join(each["token"] for each in choice["logprobs"]["content"]) == f"Well. {CALL}"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"
    assert [each for chunk in chunks if chunk["logprobs"] for each in chunk["logprobs"]["content"]] == choice[
        "logprobs"
    ]["content"]
    assert chunks[-1]["finish_reason"] == "tool_calls"


async def test_usage_comes_in_a_stream_with_logprobs_too() -> None:
    """Null before, then the numbers."""
    for path, body in ((CHAT, a_chat("one two", logprobs=True)), (COMPLETIONS, a_completion("one two", logprobs=0))):
        answer = await post(path, body | {"stream": True, "stream_options": {"include_usage": True}})
        *chunks, last, _ = events(answer.text)
        assert all(chunk["usage"] is None for chunk in chunks)
        assert last["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}


async def test_a_text_completion_lists_its_tokens_by_property() -> None:
    """The likeliest tokens have the chosen one among them; offsets count characters."""
    reply = await whole(COMPLETIONS, a_completion("one twö 3", logprobs=2))

    assert reply["choices"] == [
        {
            "text": "one twö 3",
            "index": 0,
            "logprobs": {
                "tokens": ["one", " twö", " 3"],
                "token_logprobs": [-0.5, -1.0, -1.5],
                "top_logprobs": [
                    {"one": -0.5, "one~1": -1.5},
                    {" twö": -1.0, " twö~1": -2.0},
                    {" 3": -1.5, " 3~1": -2.5},
                ],
                "text_offset": [0, 3, 7],
            },
            "finish_reason": "stop",
        }
    ]


async def test_a_text_stream_goes_on_counting() -> None:
    """Each chunk has its own tokens; offsets are those in the whole text."""
    chunks = await streamed(COMPLETIONS, a_completion("one two", logprobs=0))

    assert chunks == [
        {
            "index": 0,
            "text": text,
            "logprobs": {
                "tokens": [text],
                "token_logprobs": [logprob],
                "top_logprobs": [{text: logprob}],
                "text_offset": [offset],
            },
            "finish_reason": reason,
        }
        for text, logprob, offset, reason in [("one", -0.5, 0, None), (" two", -1.0, 3, "stop")]
    ]


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("ein zwei", ["ein zwei"]),
        (["ein", "zwei"], ["ein", "zwei"]),
        ([7, 8], ["<7> <8>"]),
        ([[7], [8]], ["<7>", "<8>"]),
    ],
)
@pytest.mark.parametrize("n", [1, 2])
async def test_echo_puts_the_prompt_before_the_text(prompt: object, texts: list[str], n: int) -> None:
    """Of each choice; in a stream too. The prompt is no part of the completion's tokens."""
    body, server = a_completion(prompt, echo=True, n=n), a_server(Script(reply=" und so"))

    reply, chunks = await whole(COMPLETIONS, body, server), await streamed(COMPLETIONS, body, server)

    expected = [f"{text} und so" for text in texts for _ in range(n)]
    assert [choice["text"] for choice in reply["choices"]] == expected
    assert [choice["logprobs"] for choice in reply["choices"]] == [None] * len(expected)
    assert reply["usage"]["completion_tokens"] == 2 * len(expected)
    for index, text in enumerate(expected):
        assert "".join(chunk["text"] for chunk in chunks if chunk["index"] == index) == text


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("temperature", [0, 1])
async def test_echo_with_logprobs_has_those_of_the_prompt(n: int, temperature: float) -> None:
    """The first token has none, for nothing stands before it."""
    body = a_completion("ein zwei", echo=True, logprobs=1, n=n, temperature=temperature)
    server = a_server(Script(reply=" drei"))

    reply, chunks = await whole(COMPLETIONS, body, server), await streamed(COMPLETIONS, body, server)

    for index, choice in enumerate(reply["choices"]):
        own = -0.5 if temperature == 0 else -(0.5 ** (index + 1))
        assert choice["text"] == "ein zwei drei"
        assert choice["logprobs"] == {
            "tokens": ["ein", " zwei", " drei"],
            "token_logprobs": [None, -1.0, own],
            "top_logprobs": [None, {" zwei": -1.0}, {" drei": own}],
            "text_offset": [0, 3, 8],
        }
        shown = [chunk["logprobs"] for chunk in chunks if chunk["index"] == index]
        assert {key: [each for part in shown for each in part[key]] for key in shown[0]} == choice["logprobs"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 2])
async def test_echo_alone_generates_nothing(stream: bool, n: int) -> None:
    """max_tokens 0: the prompt comes back, and no token is paid for."""
    body = a_completion(["ein zwei", "drei"], echo=True, max_tokens=0, n=n)

    if stream:
        choices = await streamed(COMPLETIONS, body)
    else:
        reply = await whole(COMPLETIONS, body)
        choices = reply["choices"]
        assert reply["usage"] == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}

    assert sorted((each["index"], each["text"], each["logprobs"], each["finish_reason"]) for each in choices) == [
        (index, text, None, "length") for index, text in enumerate(["ein zwei"] * n + ["drei"] * n)
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_echo_alone_scores_a_prompt(stream: bool) -> None:
    """What evaluation tools ask: a text's logprobs and nothing else."""
    body = a_completion("ein zwei drei", echo=True, max_tokens=0, logprobs=0)

    choices = await streamed(COMPLETIONS, body) if stream else (await whole(COMPLETIONS, body))["choices"]

    assert [(each["text"], each["finish_reason"]) for each in choices] == [("ein zwei drei", "length")]
    assert choices[0]["logprobs"]["token_logprobs"] == [None, -1.0, -2.0]


@pytest.mark.parametrize("n", [None, 1, 2, 3])
async def test_best_of_shows_the_likeliest(n: int | None) -> None:
    """The later a scripted choice, the likelier; all of them are paid for, each prompt has its own."""
    body = a_completion(["a b", "c d"], best_of=3, n=n, logprobs=0)

    reply = await whole(COMPLETIONS, body)

    shown = [(choice["index"], choice["text"], choice["logprobs"]["token_logprobs"][0]) for choice in reply["choices"]]
    likeliest = [-0.125, -0.25, -0.5][: n or 1] if n != 3 else [-0.5, -0.25, -0.125]
    pairs = [(text, logprob) for text in ("a b", "c d") for logprob in likeliest]
    assert shown == [(index, *pair) for index, pair in enumerate(pairs)]
    assert reply["usage"]["completion_tokens"] == 12


async def test_best_of_shows_no_logprobs_unless_they_are_asked_for() -> None:
    """They are needed to choose, not to show. Greedy choices and an echo are no hindrance."""
    for fields in ({}, {"temperature": 0}, {"echo": True}):
        reply = await whole(COMPLETIONS, a_completion("a", best_of=2, **fields))
        assert [choice["logprobs"] for choice in reply["choices"]] == [None]


def choice(*logprobs: float, prompt: float | None = None) -> Choice:
    """A choice of so many tokens, behind a prompt that counts for nothing."""
    before = [] if prompt is None else [TokenLogprob("p", prompt)]
    return Choice(tokens=len(logprobs), logprobs=[*before, *(TokenLogprob("x", each) for each in logprobs)])


def test_the_likeliest_is_so_by_token() -> None:
    """A long choice is not punished for its length, nor judged by its prompt."""
    choices = {0: choice(-1.0), 1: choice(-0.5, -0.5, -0.5), 2: choice(), 3: choice(-2.0, prompt=-0.1)}

    assert list(best(choices, 4, 4).values()) == [choices[2], choices[1], choices[0], choices[3]]
    assert best({0: choice(-1.0), 1: choice(-1.0, prompt=-9.0)}, 1, 2) == {0: choice(-1.0)}


def test_a_token_that_is_not_among_the_likeliest_is_listed_with_them() -> None:
    """One more than was asked for; of two tokens with one text, the likelier is told."""
    top = (TokenLogprob("a", -0.25), TokenLogprob("a", -0.5))

    assert text_logprobs([TokenLogprob("z", -9.0, top)])["top_logprobs"] == [{"a": -0.25, "z": -9.0}]
    assert chat_token(TokenLogprob("\ud800", -1.0))["bytes"] == [63]


def test_a_whole_chat_keeps_no_object_for_each_alternative() -> None:
    """170,000 of them, at 8,192 tokens, would stop the event loop for 0.3 s while they are collected."""
    choices: dict[int, Choice] = {}
    found = TokenLogprob("one", -0.5, (TokenLogprob("one", -0.5), TokenLogprob("two", -1.0)))

    fold_chat_tokens(choices, [Delta(0, "one", 1, None, (found,)), Delta(0, "", 1, "stop", (found,))])

    assert (choices[0].texts, choices[0].tokens, choices[0].logprobs) == (["one", ""], 2, [])
    assert orjson.loads(orjson.dumps(choices[0].worded)) == [chat_token(found)] * 2


REFUSED: dict[str, tuple[str, dict[str, object], int, str, str]] = {
    "a number for true": (CHAT, {"logprobs": 1}, 422, "logprobs", "logprobs must be true or false."),
    "too many alternatives": (
        CHAT,
        {"logprobs": True, "top_logprobs": 21},
        400,
        "top_logprobs",
        "top_logprobs must be at most 20.",
    ),
    "fewer than none": (
        CHAT,
        {"logprobs": True, "top_logprobs": -1},
        400,
        "top_logprobs",
        "top_logprobs must be at least 0.",
    ),
    "alternatives to nothing": (
        CHAT,
        {"top_logprobs": 3},
        400,
        "top_logprobs",
        "top_logprobs is only allowed when logprobs is true.",
    ),
    "an answer of nothing": (CHAT, {"max_tokens": 0}, 400, "max_tokens", "max_tokens must be at least 1."),
    "an answer of less": (CHAT, {"max_tokens": -1}, 400, "max_tokens", "max_tokens must be at least 1."),
    "true for a number": (COMPLETIONS, {"logprobs": True}, 422, "logprobs", "logprobs must be a whole number."),
    "too many": (COMPLETIONS, {"logprobs": 6}, 400, "logprobs", "logprobs must be at most 5."),
    "too few": (COMPLETIONS, {"logprobs": -1}, 400, "logprobs", "logprobs must be at least 0."),
    "an echo of a number": (COMPLETIONS, {"echo": 0}, 422, "echo", "echo must be true or false."),
    "the best of true": (COMPLETIONS, {"best_of": True}, 422, "best_of", "best_of must be a whole number."),
    "the best of none": (COMPLETIONS, {"best_of": 0}, 400, "best_of", "best_of must be at least 1."),
    "the best of too many": (COMPLETIONS, {"best_of": 129}, 400, "best_of", "best_of must be at most 128."),
    "more than the best of": (COMPLETIONS, {"best_of": 2, "n": 3}, 400, "best_of", "best_of must be at least n."),
    "the best before the end": (
        COMPLETIONS,
        {"best_of": 2, "stream": True},
        400,
        "best_of",
        "best_of cannot be streamed: the best is known at the end.",
    ),
    "nothing at all": (
        COMPLETIONS,
        {"max_tokens": 0},
        400,
        "max_tokens",
        "max_tokens must be at least 1 unless echo is true.",
    ),
    "less than nothing": (COMPLETIONS, {"max_tokens": -1}, 400, "max_tokens", "max_tokens must be at least 0."),
    "a prompt that is too long to be scored": (
        COMPLETIONS,
        {"prompt": "x" + " x" * 2048, "echo": True, "logprobs": 0},
        400,
        "prompt",
        "prompt has 2049 tokens, but echo with logprobs takes at most 2048: shorten the prompt or leave logprobs out.",
    ),
}


@pytest.mark.parametrize(("path", "fields", "status", "param", "message"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_makes_no_sense_is_named(
    path: str, fields: dict[str, object], status: int, param: str, message: str
) -> None:
    """One sentence, the place, the remedy."""
    body: dict[str, object] = {"model": "qwen3", "messages": [{"role": "user", "content": "x"}], "prompt": "x"}

    answer = await post(path, body | fields)

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["message"]) == (status, param, message)


@pytest.mark.parametrize(
    "fields",
    [{"logprobs": False, "top_logprobs": 0}, {"logprobs": None, "top_logprobs": None}, {}],
)
async def test_a_chat_that_asks_for_none_shows_none(fields: dict[str, object]) -> None:
    """Not even as null: the shape is the reference's."""
    body = a_chat("one", **fields)

    assert list((await whole(CHAT, body))["choices"][0]) == ["index", "message", "finish_reason"]
    chunks = await streamed(CHAT, body)
    assert (list(chunks[0]), said([{"choices": chunks}])) == (["index", "delta", "finish_reason"], "one")


@pytest.mark.parametrize("fields", [{"echo": False, "best_of": 1, "logprobs": None}, {"best_of": None}])
async def test_a_text_completion_that_asks_for_none_has_null(fields: dict[str, object]) -> None:
    """A stream may say that it wants the best of one."""
    body = a_completion("one", **fields)

    assert (await whole(COMPLETIONS, body))["choices"][0]["logprobs"] is None
    assert [each["logprobs"] for each in await streamed(COMPLETIONS, body)] == [None]
