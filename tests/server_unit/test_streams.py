"""What a stream does in time: when it begins, how it stays alive, how it ends."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from qwen_server.engine.base import Delta, InvalidRequest, Prompt, Sampling
from qwen_server.engine.scripted import Script, ScriptedEngine
from tests.server_unit.asgi import CHAT, Conversation, a_slow_server, a_stream
from tests.server_unit.builders import a_chat, a_completion, a_server, events, said


async def test_a_token_is_sent_before_the_next_one_is_there() -> None:
    """Nothing is held back."""
    server, metronome, _ = a_slow_server()
    stream = a_stream(server)

    metronome.tick()
    await stream.until(2)
    after_one = said(events(stream.text))
    metronome.tick()
    await stream.until(3)
    after_two = said(events(stream.text))
    metronome.tick()
    await stream.end()

    assert (after_one, after_two, said(events(stream.text))) == ("one", "one two", "one two three")


async def test_the_last_write_holds_reason_usage_and_end() -> None:
    """One send for all three."""
    server = a_server()
    body = a_chat("one two", stream=True, stream_options={"include_usage": True})
    stream = Conversation(server.app, CHAT, body).begin()

    await stream.end()

    last = stream.sent[-1]
    assert last["more_body"] is False
    assert [message["more_body"] for message in stream.sent[1:-1]] == [True]
    assert last["body"].count(b"data: ") == 3
    assert last["body"].endswith(b"data: [DONE]\n\n")


async def test_no_header_is_sent_before_the_first_output() -> None:
    """So that an error can keep its status."""
    server, metronome, _ = a_slow_server()
    stream = a_stream(server)
    await metronome.asked(1)

    before = list(stream.sent)
    metronome.tick(3)
    await stream.end()

    assert before == []
    assert stream.status == 200


@pytest.mark.looptime
async def test_a_stream_without_output_is_kept_alive() -> None:
    """Headers and a comment after 10 s, another comment every 15 s, and text as if nothing had been."""
    server = a_server(Script(first_token_seconds=58.0, reply="late"))
    stream = a_stream(server)

    await stream.end()

    now = asyncio.get_running_loop().time()
    assert now == pytest.approx(58.0)
    assert stream.text.count(": keep-alive\n\n") == 4  # at 10, 25, 40 and 55 s
    assert said(events(stream.text)) == "late"
    assert stream.text.endswith("data: [DONE]\n\n")


@pytest.mark.looptime
async def test_a_first_token_waits_for_a_head_that_waits_for_the_reader() -> None:
    """The head of the first comment is on its way; there is no second one, and nothing in between."""
    stream = a_stream(a_server(Script(first_token_seconds=12.0, reply="late")))
    stream.reading.clear()
    await stream.until_offered(1)  # at 10 s
    await asyncio.sleep(5.0)

    stream.reading.set()
    await stream.end()

    assert [message["type"] for message in stream.sent].count("http.response.start") == 1
    assert stream.text.startswith(": keep-alive\n\ndata: ")
    assert said(events(stream.text)) == "late"


@pytest.mark.looptime
async def test_a_silence_between_tokens_is_bridged_too() -> None:
    """The time counts from the last text."""
    stream = a_stream(a_server(Script(token_seconds=31.0, reply="one two")))

    await stream.end()

    assert stream.text.count(": keep-alive\n\n") == 2


@pytest.mark.looptime
async def test_text_that_flows_needs_no_comments() -> None:
    """Half a minute with a token a second."""
    stream = a_stream(a_server(Script(token_seconds=1.0, reply="word" + " word" * 29)))

    await stream.end()

    assert asyncio.get_running_loop().time() == pytest.approx(29.0, abs=0.1)
    assert ": keep-alive" not in stream.text


@pytest.mark.looptime
async def test_a_refusal_after_the_headers_is_an_event() -> None:
    """Too late for a status, but not for the envelope."""
    stream = a_stream(a_server(Script(first_token_seconds=20.0, refusal="stop holds a text that is too long.")))

    await stream.end()

    assert stream.status == 200
    assert events(stream.text) == [
        {
            "error": {
                "message": "stop holds a text that is too long.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "[DONE]",
    ]


async def test_an_engine_that_dies_in_a_stream_is_an_event() -> None:
    """The client hears of it after the text it has, and the stream is well-formed to its end."""
    stream = a_stream(a_server(Script(dies_after_tokens=2)))

    await stream.end()

    assert said(events(stream.text)[:-2]) == "one two"
    assert events(stream.text)[-2]["error"]["code"] == "engine_dead"
    assert stream.sent[-1]["more_body"] is False


async def test_a_defect_in_a_stream_is_an_opaque_event() -> None:
    """With the id under which the journal has the place."""

    class Breaking(ScriptedEngine):
        async def _token(self, number: int) -> None:
            if number == 1:
                raise ValueError("content-of-the-caller")

    server = a_server(engine=Breaking())
    stream = a_stream(server)

    await stream.end()

    (line,) = server.journal()
    assert (line["event"], line["error"], line["request"]) == ("stream failed", "ValueError", f"{1:024x}")
    assert f"{1:024x}" in events(stream.text)[-2]["error"]["message"]
    assert "content-of-the-caller" not in stream.text + server.written.getvalue()


class GivingUp(ScriptedEngine):
    """An engine that stops in the middle of its choices, without a word."""

    def __init__(self, gives: Sequence[Delta]) -> None:
        super().__init__()
        self.gives = gives

    async def generate(
        self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
    ) -> AsyncGenerator[Sequence[Delta], None]:
        """What the test says."""
        if self.gives:
            yield self.gives


@pytest.mark.parametrize(
    ("n", "gives"),
    [
        (1, []),
        (1, [Delta(0, "one", 1)]),
        (2, [Delta(0, "one", 1, "stop")]),
        (2, [Delta(0, "one", 1, "stop"), Delta(1, "one", 1)]),
    ],
)
async def test_an_answer_that_the_engine_never_ended_is_not_shown_as_complete(n: int, gives: Sequence[Delta]) -> None:
    """Whole it is an error, streamed the stream ends with one."""
    server = a_server(engine=GivingUp(gives))

    whole = Conversation(server.app, CHAT, a_chat(n=n)).begin()
    await whole.end()
    stream = Conversation(server.app, CHAT, a_chat(n=n, stream=True)).begin()
    await stream.end()

    assert whole.status == 500
    error = events(stream.text)[-2]["error"] if gives else stream.error
    assert error["message"].startswith("The server failed to answer")
    assert stream.sent[-1].get("more_body", False) is False
    assert [line["event"] for line in server.journal()] == [
        "request failed",
        "stream failed" if gives else "request failed",
    ]


async def test_the_first_error_of_several_prompts_ends_all() -> None:
    """And keeps its status."""

    class Picky(ScriptedEngine):
        refused = False

        async def _first_token(self) -> None:
            if not self.refused:
                self.refused = True
                raise InvalidRequest("prompt[0] is not to my taste.", "prompt")
            await asyncio.Event().wait()

    engine = Picky()
    conversation = Conversation(a_server(engine=engine).app, "/v1/completions", a_completion(["a", "b"])).begin()

    await conversation.end()

    assert conversation.status == 400
    assert len(engine.aborted) == 2


async def test_a_reader_that_stops_stops_the_engines_steps() -> None:
    """No token is fetched that nobody takes: what waits, waits in the engine."""
    server, metronome, engine = a_slow_server()
    stream = a_stream(server, "one two three four")
    metronome.tick()
    await stream.until(2)

    stream.reading.clear()
    metronome.tick(3)
    for _ in range(100):  # many turns of the loop, in which a server that fetches ahead would do so
        await asyncio.sleep(0)
    asked = metronome.total
    stream.reading.set()
    await stream.end()

    assert (asked, engine.running) == (2, 0)
    assert said(events(stream.text)) == "one two three four"
