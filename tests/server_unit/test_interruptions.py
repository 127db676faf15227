"""What ends an answer early: a client that leaves, the drain's deadline, an engine that dies."""

import asyncio

import pytest

from qwen_server.exchange import Interruption
from tests.server_unit.asgi import CHAT, Conversation, a_slow_server, a_stream
from tests.server_unit.builders import a_chat, a_completion, events

COMPLETIONS = "/v1/completions"


@pytest.mark.parametrize("body", [a_chat("one two three", stream=True), a_chat("one two three"), a_completion("a b c")])
async def test_a_client_that_leaves_ends_the_work(body: dict[str, object]) -> None:
    """Streamed or whole, the engine's request is closed before the application returns."""
    server, metronome, engine = a_slow_server()
    path = CHAT if "messages" in body else "/v1/completions"
    conversation = Conversation(server.app, path, body).begin()
    metronome.tick()
    await metronome.asked(2)
    running = engine.running

    await conversation.leave()

    assert engine.aborted == [f"{1:024x}"]
    assert (running, engine.running, len(server.lifecycle.running)) == (1, 0, 0)
    assert f'status="{200 if body.get("stream") else 499}"' in server.metrics()
    assert server.journal() == []


async def test_a_client_that_leaves_ends_every_part_of_its_work() -> None:
    """Several prompts are several requests to the engine."""
    server, metronome, engine = a_slow_server()
    conversation = Conversation(server.app, "/v1/completions", a_completion(["a b", "c d", "e f"])).begin()
    await metronome.asked(3)

    await conversation.leave()

    assert sorted(engine.aborted) == [f"{1:024x}-{number}" for number in range(3)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [(COMPLETIONS, a_completion(["a b c d e"] * 3)), (CHAT, a_chat("a b c d e", n=3, temperature=0))],
)
async def test_a_client_that_leaves_many_parts_leaves_no_task_behind(
    path: str, body: dict[str, object], *, stream: bool
) -> None:
    """Neither before the first token nor between two of them."""
    server, metronome, engine = a_slow_server()
    for ticks in (0, 3):
        engine.aborted.clear()
        seen = metronome.total
        conversation = Conversation(server.app, path, {**body, "stream": stream}).begin()
        metronome.tick(ticks)
        await metronome.asked(seen + 3 + ticks)

        await conversation.leave()
        await asyncio.sleep(0)  # the turn of the loop in which a cancelled task ends

        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(engine.aborted) == 3
    assert server.journal() == []


@pytest.mark.parametrize(
    ("why", "code"),
    [(Interruption.DEADLINE, "shutting_down"), (Interruption.ENGINE_DEAD, "engine_dead")],
)
async def test_an_interrupted_stream_ends_with_an_error_event(why: Interruption, code: str) -> None:
    """Well-formed to its end, and the engine stops working for it."""
    server, metronome, engine = a_slow_server()
    stream = a_stream(server)
    metronome.tick()
    await stream.until(2)

    count = server.lifecycle.interrupt(why)
    await stream.end()

    assert count == 1
    assert events(stream.text)[-2]["error"]["code"] == code
    assert events(stream.text)[-1] == "[DONE]"
    assert engine.aborted == [f"{1:024x}"]


async def test_an_interrupted_whole_answer_keeps_its_status() -> None:
    """503 and when to come back."""
    server, metronome, _ = a_slow_server()
    conversation = Conversation(server.app, CHAT, a_chat()).begin()
    await metronome.asked(1)

    server.lifecycle.interrupt(Interruption.DEADLINE)
    await conversation.end()

    assert conversation.status == 503
    assert (b"retry-after", b"5") in conversation.sent[0]["headers"]


@pytest.mark.parametrize("body", [a_completion(["a b", "c d", "e f"], stream=True), a_chat(stream=True)])
@pytest.mark.parametrize(
    ("why", "status", "code"),
    [(Interruption.DEADLINE, 503, "shutting_down"), (Interruption.ENGINE_DEAD, 500, "engine_dead")],
)
async def test_a_stream_interrupted_before_its_first_token_keeps_its_status(
    body: dict[str, object], why: Interruption, status: int, code: str
) -> None:
    """Nothing was sent yet, so the answer is an ordinary error, and no defect of the server's."""
    server, metronome, engine = a_slow_server()
    parts = 1 if "messages" in body else 3
    conversation = Conversation(server.app, CHAT if parts == 1 else COMPLETIONS, body).begin()
    await metronome.asked(parts)

    server.lifecycle.interrupt(why)
    await conversation.end()

    assert (conversation.status, conversation.error["code"]) == (status, code)
    assert ((b"retry-after", b"5") in conversation.sent[0]["headers"]) == (status == 503)
    assert (len(engine.aborted), server.journal()) == (parts, [])


@pytest.mark.parametrize("body", [a_completion(["a b", "c d", "e f"], stream=True), a_chat(stream=True)])
async def test_a_client_that_leaves_before_the_first_token_is_no_error(body: dict[str, object]) -> None:
    """It counts as gone, and every part of its work ends."""
    server, metronome, engine = a_slow_server()
    parts = 1 if "messages" in body else 3
    conversation = Conversation(server.app, CHAT if parts == 1 else COMPLETIONS, body).begin()
    await metronome.asked(parts)

    await conversation.leave()

    assert 'status="499"' in server.metrics()
    assert (conversation.sent, len(engine.aborted), server.journal()) == ([], parts, [])


@pytest.mark.looptime
async def test_a_stream_interrupted_between_its_headers_and_its_first_token_is_told() -> None:
    """Comments have kept it alive, so it is too late for a status."""
    server, metronome, engine = a_slow_server()
    stream = a_stream(server)
    await metronome.asked(1)
    await stream.until(2)

    server.lifecycle.interrupt(Interruption.DEADLINE)
    await stream.end()

    assert events(stream.text)[0]["error"]["code"] == "shutting_down"
    assert (events(stream.text)[1:], len(engine.aborted)) == (["[DONE]"], 1)


@pytest.mark.parametrize("words", ["one", "one two"])
async def test_a_stream_interrupted_while_its_last_write_waits_for_the_reader_is_told(words: str) -> None:
    """A write that waits has written nothing, so the end is still to be said; also if it is the first write."""
    server, metronome, _ = a_slow_server()
    stream = a_stream(server, words)
    tokens = len(words.split())
    metronome.tick(tokens - 1)
    if tokens > 1:
        await stream.until(2)
    stream.reading.clear()
    metronome.tick()
    await stream.until_offered(2 * tokens - 1)

    server.lifecycle.interrupt(Interruption.DEADLINE)
    await stream.until_offered(2 * tokens)
    stream.reading.set()
    await stream.end()

    error = events(stream.text)[-2]["error"] if tokens > 1 else stream.error
    assert error["code"] == "shutting_down"
    assert stream.status == (200 if tokens > 1 else 503)
    assert [message["type"] for message in stream.sent].count("http.response.start") == 1
