"""Exact tokens through the real AsyncLLM: what a request gives, streamed and whole."""

import asyncio

import pytest

from qwen_server.engine.base import InvalidRequest, Sampling, Stage, TemplateOptions
from qwen_server.engine.gathering import EACH_UP_TO
from qwen_server.engine.tokens import LIGHT
from qwen_server.engine.vllm import VllmEngine
from tests.server_engine.conftest import SOON, Loaded, deltas, reasons, scheduled, script, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
SENTENCE = "The answer is 42."
ENDLESS = Sampling(max_tokens=400, ignore_eos=True, extra=script("abc", again=True, pause=10 * SOON / 400))
"""An answer that takes ten times as long as anything here may take."""


async def test_a_stream_and_a_whole_reply_hold_the_same_text(engine: VllmEngine) -> None:
    """One path for both: the same tokens, the same counts, the same end."""
    sampling = Sampling(max_tokens=100, extra=script(SENTENCE, pause=0.02))  # vLLM joins what nobody fetched yet
    streamed, whole = await deltas(engine, sampling), await deltas(engine, sampling, stream=False)
    assert text_of(streamed) == text_of(whole) == SENTENCE
    assert reasons(streamed) == reasons(whole) == {0: "stop"}
    assert sum(each.tokens for each in streamed) == sum(each.tokens for each in whole) == len(SENTENCE) + 1
    assert len(streamed) > len(whole) == 1


async def test_max_tokens_ends_with_length(engine: VllmEngine) -> None:
    """The limit counts tokens of the completion."""
    found = await deltas(engine, Sampling(max_tokens=3, extra=script(SENTENCE)))
    assert (text_of(found), reasons(found)) == ("The", {0: "length"})


async def test_a_stop_string_is_never_shown(engine: VllmEngine) -> None:
    """It ends the text, also when it spans several tokens, and nothing of it is streamed before."""
    found = await deltas(engine, Sampling(max_tokens=100, stop=("answer is",), extra=script(SENTENCE)))
    assert (text_of(found), reasons(found)) == ("The ", {0: "stop"})


async def test_two_choices_are_told_apart(engine: VllmEngine) -> None:
    """n=2 gives both indexes their own text and end."""
    found = await deltas(engine, Sampling(max_tokens=100, n=2, temperature=0.7, extra=script(SENTENCE)))
    assert [text_of(found, 0), text_of(found, 1)] == [SENTENCE, SENTENCE]
    assert reasons(found) == {0: "stop", 1: "stop"}


@pytest.mark.parametrize("stream", [True, False])
async def test_several_greedy_choices_are_equal(engine: VllmEngine, stream: bool) -> None:
    """n=3 at temperature 0 works, which vLLM alone refuses."""
    found = await deltas(engine, Sampling(max_tokens=100, n=3, temperature=0.0, extra=script("Yes")), stream=stream)
    assert [text_of(found, index) for index in range(3)] == ["Yes", "Yes", "Yes"]
    assert reasons(found) == {0: "stop", 1: "stop", 2: "stop"}


async def test_the_prompt_is_counted_before_anything_is_generated(engine: VllmEngine) -> None:
    """A token a character, as the tiny tokenizer has it; ids stay as they are."""
    assert len((await engine.render_text("Hello")).token_ids) == 5
    assert list((await engine.render_text([5, 6, 7])).token_ids) == [5, 6, 7]


async def test_a_prompts_text_comes_where_it_is_wanted(engine: VllmEngine) -> None:
    """As it was given, or from its ids."""
    ids = list((await engine.render_text("Hello")).token_ids)
    found = [await engine.render_text(each, with_text=wanted) for each in ("Hello", ids) for wanted in (True, False)]
    assert [each.text for each in found] == ["Hello", "", "Hello", ""]


async def test_messages_go_through_the_models_template(engine: VllmEngine) -> None:
    """The template adds its markers, and the opening of the answer only when asked."""
    messages = [{"role": "user", "content": "Hello"}]
    opened = await engine.render_chat(messages, TemplateOptions())
    closed = await engine.render_chat(messages, TemplateOptions(add_generation_prompt=False))
    assert len(opened.token_ids) > len(closed.token_ids) > len("Hello")
    assert messages == [{"role": "user", "content": "Hello"}]


async def test_earlier_reasoning_goes_through_the_models_template(engine: VllmEngine) -> None:
    """Under the name by which vLLM's renderer hands it on."""
    said = {"role": "assistant", "content": "Yes."}
    plain = await engine.render_chat([said], TemplateOptions())
    thoughtful = await engine.render_chat([said | {"reasoning": "Hm."}], TemplateOptions())
    assert len(thoughtful.token_ids) > len(plain.token_ids)


async def test_the_template_tells_which_markup_an_answer_may_hold(loaded: Loaded) -> None:
    """What it teaches, and in the last words of a prompt, whether it has opened the reasoning or closed it."""
    messages = [{"role": "user", "content": "Hello"}]
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    plain = await loaded.engine.render_chat(messages, TemplateOptions())
    closed = await loaded.engine.render_chat(messages, TemplateOptions(arguments={"enable_thinking": False}))
    taught = await loaded.engine.render_chat(messages, TemplateOptions(tools=[tool]))
    assert "<tool_call>" in loaded.facts.chat_template
    assert plain.tail.endswith("sistant\n")
    assert closed.tail.endswith("</think>\n\n")
    assert len(taught.token_ids) > len(plain.token_ids)


async def test_a_heavy_conversation_is_rendered_like_a_light_one(engine: VllmEngine) -> None:
    """Beside the event loop, and to the same tokens."""
    messages = [{"role": "user", "content": "Hello <|im_end|>"}]
    light, heavy = [await engine.render_chat(messages, TemplateOptions(size=size)) for size in (1, LIGHT + 1)]
    assert (light.token_ids, light.tail) == (heavy.token_ids, heavy.tail)
    assert light.tail.endswith("Hello <|im_end|><|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize(
    ("text", "param", "code"),
    [
        ("x" * 600, "prompt", "context_length_exceeded"),
        ([100_000], "prompt", None),
        ([-1], "prompt", None),
        ("", "prompt", None),
    ],
)
async def test_a_prompt_that_cannot_be_is_refused(
    engine: VllmEngine, text: str | list[int], param: str, code: str | None
) -> None:
    """Too long, unknown ids, nothing at all: named, without the content."""
    with pytest.raises(InvalidRequest) as caught:
        await engine.render_text(text)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert "xxx" not in str(caught.value)


async def test_messages_longer_than_the_context_are_refused(engine: VllmEngine) -> None:
    """The context is the one asked for, not the model's own."""
    with pytest.raises(InvalidRequest, match="context of 512 tokens") as caught:
        await engine.render_chat([{"role": "user", "content": "x" * 600}], TemplateOptions())
    assert (caught.value.param, caught.value.code) == ("messages", "context_length_exceeded")


async def test_what_only_the_engine_can_judge_is_refused_by_name(engine: VllmEngine) -> None:
    """A token id in logit_bias that the model does not have is a client's error."""
    with pytest.raises(InvalidRequest) as caught:
        await deltas(engine, Sampling(max_tokens=5, logit_bias={999_999: 1.0}, extra=script("Yes")))
    assert caught.value.param == "logit_bias"


async def test_closing_a_stream_leaves_nothing_in_the_scheduler(loaded: Loaded, engine: VllmEngine) -> None:
    """A client that goes away stops costing, long before its answer would have ended."""
    stream = engine.generate(await engine.render_text("Say it"), ENDLESS, "closed", stream=True)
    await anext(stream)
    await scheduled(loaded, 1)
    async with asyncio.timeout(SOON):
        await stream.aclose()
    await scheduled(loaded, 0)


async def test_cancelling_the_waiting_task_aborts(loaded: Loaded, engine: VllmEngine) -> None:
    """Also for a reply that is not streamed."""
    task = asyncio.create_task(deltas(engine, ENDLESS, stream=False))
    await scheduled(loaded, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await scheduled(loaded, 0)


async def test_what_a_stalled_reader_has_not_taken_waits_as_one_piece(loaded: Loaded, engine: VllmEngine) -> None:
    """The engine comes to its end without it, and nothing is kept for each token."""
    sampling = Sampling(max_tokens=400, ignore_eos=True, extra=script("abcd", again=True))
    stream = engine.generate(await engine.render_text("Say it"), sampling, "stalled", stream=True)
    async with asyncio.timeout(SOON):
        first = [*await anext(stream)]
        await scheduled(loaded, 0)
        rest = [batch async for batch in stream]
    assert text_of([*first, *(delta for batch in rest for delta in batch)]) == "abcd" * 100
    assert len(rest) <= 2


async def test_many_streams_at_once_keep_their_texts_apart(engine: VllmEngine) -> None:
    """Twenty different answers, each whole."""
    wanted = [f"Answer number {number}" for number in range(20)]
    work = [deltas(engine, Sampling(max_tokens=100, extra=script(text, pause=0.001)), name=text) for text in wanted]
    assert [text_of(found) for found in await asyncio.gather(*work)] == wanted


async def test_a_ping_is_answered_under_load_and_idle(engine: VllmEngine) -> None:
    """A round trip through the engine core."""
    endless = Sampling(max_tokens=50, ignore_eos=True, extra=script("abc", again=True, pause=0.005))
    work = asyncio.create_task(deltas(engine, endless))
    async with asyncio.timeout(5):
        await engine.ping()
        await work
        await engine.ping()


async def test_the_facts_are_those_of_the_loaded_model(loaded: Loaded) -> None:
    """The context is what was asked for; the progress is at its end."""
    assert (loaded.facts.context_length, loaded.facts.architecture) == (512, "Qwen3ForCausalLM")
    assert loaded.facts.cache_tokens is not None
    assert loaded.facts.cache_tokens >= loaded.facts.context_length
    assert loaded.engine.progress().stage is Stage.READY


async def test_the_given_registry_holds_vllms_series(loaded: Loaded) -> None:
    """And only those: the process's own registry stays apart."""
    await deltas(loaded.engine, Sampling(max_tokens=100, extra=script("Yes")))
    names = {metric.name for metric in loaded.registry.collect()}
    assert {"vllm:num_requests_running", "vllm:generation_tokens"} <= names
    assert all(name.startswith("vllm:") for name in names)


STREAMS = 3 * EACH_UP_TO


async def test_many_streams_get_several_tokens_at_once_and_the_first_alone(engine: VllmEngine) -> None:
    """Text, count and end are those of every token alone; on an unknown vLLM nothing would be given on together."""
    sampling = Sampling(max_tokens=100, extra=script(SENTENCE * 3, pause=0.01))
    found = await asyncio.gather(*[deltas(engine, sampling, name=f"many-{number}") for number in range(STREAMS)])
    assert {text_of(each) for each in found} == {SENTENCE * 3}
    assert {reasons(each)[0] for each in found} == {"stop"}
    assert {sum(delta.tokens for delta in each) for each in found} == {len(SENTENCE) * 3 + 1}
    assert max(len(each) for each in found) < len(SENTENCE) * 3 / 2
    assert {each[0].tokens for each in found} == {1}


async def test_a_stop_string_ends_one_of_many_streams_where_it_stands(engine: VllmEngine) -> None:
    """What was made behind it meanwhile is never shown nor counted."""
    plain, stopped = (Sampling(max_tokens=60, stop=stop, extra=script(SENTENCE, pause=0.01)) for stop in ((), ("is",)))
    alone = await deltas(engine, stopped)
    beside = [deltas(engine, plain, name=f"beside-{number}") for number in range(STREAMS)]
    found, *_ = await asyncio.gather(deltas(engine, stopped), *beside)
    assert (text_of(found), reasons(found)) == (text_of(alone), reasons(alone)) == ("The answer ", {0: "stop"})
    assert sum(delta.tokens for delta in found) == sum(delta.tokens for delta in alone)
