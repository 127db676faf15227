"""The engine without a model keeps the promises of every engine, exactly."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwen_server.engine.base import (
    Delta,
    EngineDead,
    EngineStartFailed,
    InvalidRequest,
    Prompt,
    Sampling,
    Stage,
    TemplateOptions,
)
from qwen_server.engine.scripted import Script, ScriptedEngine, deltas, read_script, words
from qwen_server.termination import Reason
from tests.server_unit.builders import Metronome


async def collected(engine: ScriptedEngine, prompt: Prompt, sampling: Sampling, *, stream: bool) -> list[list[Delta]]:
    """All batches of one request."""
    return [list(batch) async for batch in engine.generate(prompt, sampling, "r", stream=stream)]


@pytest.mark.parametrize("text", ["", " ", "one", "one two", " one\n\ntwo  ", "\tünï 日本 語\n"])
def test_tokens_joined_are_the_text(text: str) -> None:
    """Nothing is lost between words."""
    assert "".join(words(text)) == text


@pytest.mark.parametrize("stops", [(), ("x",), ("wo",), ("o t",), ("one two three four",), ("ee f", "never")])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9])
def test_deltas_never_show_a_stop_string_nor_lose_text_before_it(stops: tuple[str, ...], limit: int) -> None:
    """The shown text is the whole text up to the first stop string or the limit."""
    text = "one two three four"
    given = deltas(text, Sampling(max_tokens=limit, stop=stops), 0)

    cut = "".join(words(text)[:limit])
    ends = [cut.index(stop) for stop in stops if stop in cut]
    assert "".join(delta.text for delta in given) == cut[: min(ends, default=len(cut))]
    assert [delta.finish_reason for delta in given[:-1]] == [None] * (len(given) - 1)
    expected: Sequence[str] = ["stop"] if ends or limit > 4 else ["length"]
    assert [given[-1].finish_reason] == list(expected)


async def test_a_whole_answer_is_one_batch_of_the_same_deltas() -> None:
    """Which makes the fold of both equal."""
    engine, sampling = ScriptedEngine(), Sampling(max_tokens=9, n=2)
    prompt = await engine.render_text("one two three")

    streamed = await collected(engine, prompt, sampling, stream=True)
    whole = await collected(engine, prompt, sampling, stream=False)

    assert whole == [[delta for batch in streamed for delta in batch]]
    assert [len(batch) for batch in streamed] == [2, 2, 2]
    assert engine.aborted == []


async def test_a_prompt_is_counted_in_words_and_the_same_everywhere() -> None:
    """Two engines give the same ids."""
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there"}]

    first = await ScriptedEngine().render_chat(chat, TemplateOptions())
    second = await ScriptedEngine().render_text("Be brief.Hello there")

    assert len(first.token_ids) == 4
    assert first.payload == "Hello there"
    assert list(second.token_ids) == list((await ScriptedEngine().render_text("Be brief.Hello there")).token_ids)


async def test_a_conversation_is_answered_in_turn() -> None:
    """By the answers that it holds already, so that many may be under way; the last answer comes again and again."""
    engine = ScriptedEngine(Script(reply=("one", "two")))
    asked: dict[str, object] = {"role": "user", "content": "Hello"}
    said: dict[str, object] = {"role": "assistant", "content": "Yes?"}

    prompts = [await engine.render_chat([*[asked, said] * turn, asked], TemplateOptions()) for turn in range(4)]

    answers = [await collected(engine, prompt, Sampling(max_tokens=9), stream=True) for prompt in prompts]
    assert ["".join(delta.text for (delta,) in answer) for answer in answers] == ["one", "two", "two", "two"]


async def test_token_ids_outside_of_the_vocabulary_are_refused() -> None:
    """As the real engine does."""
    with pytest.raises(InvalidRequest) as raised:
        await ScriptedEngine().render_text([1, -1])

    assert raised.value.param == "prompt"


async def test_closing_the_generator_aborts_the_request() -> None:
    """And cancelling the task that waits on it does too."""
    metronome = Metronome()
    engine = ScriptedEngine(Script(token_seconds=1), sleep=metronome.sleep)
    prompt = await engine.render_text("one two")
    closed = engine.generate(prompt, Sampling(max_tokens=9), "closed", stream=True)
    metronome.tick()
    await anext(closed)
    await closed.aclose()
    waiting = asyncio.ensure_future(collected(engine, prompt, Sampling(max_tokens=9), stream=True))
    await metronome.asked(2)
    running = engine.running
    waiting.cancel()
    await asyncio.wait([waiting])

    assert engine.aborted == ["closed", "r"]
    assert (running, engine.running, engine.waiting) == (1, 0, 0)


async def test_the_load_has_stages_and_ends_in_facts() -> None:
    """Or in the script's error."""
    metronome = Metronome()
    engine = ScriptedEngine(context_length=5, sleep=metronome.sleep)
    stages = [engine.progress().stage]
    start = asyncio.ensure_future(engine.start())
    await metronome.asked(1)
    stages.append(engine.progress().stage)
    metronome.tick()
    facts = await start
    stages.append(engine.progress().stage)

    assert stages == [Stage.PREPARING, Stage.LOADING, Stage.READY]
    assert facts.context_length == 5
    with pytest.raises(EngineStartFailed, match=r"No memory\."):
        await ScriptedEngine(Script(start_error="No memory.")).start()


async def test_a_dead_engine_stays_dead() -> None:
    """For pings and for every later request."""
    engine = ScriptedEngine(Script(dies_after_tokens=1))
    prompt = await engine.render_text("one two")
    await engine.ping()

    with pytest.raises(EngineDead):
        await collected(engine, prompt, Sampling(max_tokens=9), stream=True)
    with pytest.raises(EngineDead):
        await engine.ping()
    await engine.close(1)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"no_such_field": 1}', "5"])
def test_a_script_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """With the fields that it may have."""
    (tmp_path / "script").write_text(content)

    with pytest.raises(EngineStartFailed) as raised:
        read_script(tmp_path / "script")

    assert raised.value.reason is Reason.INVALID_ARGUMENT
    assert "token_seconds" in str(raised.value)


def test_a_script_is_read_from_json(tmp_path: Path) -> None:
    """Without one, the engine says what it was asked."""
    (tmp_path / "script").write_text(json.dumps({"reply": "x", "token_seconds": 0.5}))

    assert read_script(tmp_path / "script") == Script(reply="x", token_seconds=0.5)
    assert read_script(None) == Script()
