"""Row by row, where the answers of vLLM 0.32's own API server fall short, or count wrong: here it is right.

Elsewhere: calls that are cut off or demanded in `test_tools`, stop strings in `test_answers`, logprobs in
`test_logprobs`; seeds and schemas, which take an engine to show, in `tests/server_engine/test_held_answers`.
"""

import pytest

from qwen_server.engine.scripted import Script
from tests.server_unit.builders import a_chat, a_completion, a_server, events
from tests.server_unit.test_where_others_fall_short import CHAT, COMPLETIONS, envelope

# --- the limit of the context -----------------------------------------------------------------------------------------

LONG = " ".join(["word"] * 100)


@pytest.mark.parametrize(
    ("context", "max_tokens", "numbers"),
    [(90, None, ("90", "100")), (100, None, ("100",)), (110, 20, ("110", "120")), (110, 200, ("110", "300"))],
    ids=["prompt alone", "prompt at the limit", "prompt and completion", "completion alone"],
)
async def test_a_request_beyond_the_context_is_refused_with_the_numbers(
    context: int, max_tokens: int | None, numbers: tuple[str, ...]
) -> None:
    """And never cut in silence."""
    async with a_server(context=context).client() as client:
        answer = await client.post(CHAT, json=a_chat(LONG, max_tokens=max_tokens))

    error = envelope(answer)
    assert (answer.status_code, error["code"]) == (400, "context_length_exceeded")
    assert [number for number in numbers if number not in error["message"]] == []


async def test_an_operator_may_have_completions_cut_instead() -> None:
    """Editors send caps far above any context."""
    server = a_server(Script(reply=LONG), context=110, clamp=True)
    async with server.client() as client:
        answer = await client.post(CHAT, json=a_chat(LONG, max_tokens=1_000_000))

    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert answer.json()["usage"]["total_tokens"] == 110


# --- answers and streams ----------------------------------------------------------------------------------------------


async def test_an_answer_holds_what_the_interface_names_and_no_null_besides() -> None:
    """Whole."""
    async with a_server().client() as client:
        answer = (await client.post(CHAT, json=a_chat())).json()

    assert list(answer) == ["id", "object", "created", "model", "choices", "usage"]
    assert list(answer["choices"][0]) == ["index", "message", "finish_reason"]
    assert list(answer["choices"][0]["message"]) == ["role", "content"]


async def test_a_stream_begins_with_role_and_text_in_one_chunk_and_counts_at_its_end() -> None:
    """`usage` is null before; no chunk carries anything else."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, json=a_chat(stream=True, stream_options={"include_usage": True}))
    *chunks, last, done = events(answer.text)

    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hello,"}
    assert {tuple(chunk) for chunk in chunks} == {("id", "object", "created", "model", "choices", "usage")}
    assert [chunk["usage"] for chunk in chunks] == [None] * len(chunks)
    assert (last["choices"], last["usage"]["total_tokens"], done) == ([], 8, "[DONE]")


async def test_a_stream_is_not_buffered_on_its_way() -> None:
    """Proxies read these headers."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, json=a_chat(stream=True))

    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")


async def test_what_the_engine_refuses_keeps_its_status_in_a_stream() -> None:
    """vLLM sends 200 and then an error."""
    async with a_server(Script(refusal="The schema is not one.")).client() as client:
        answer = await client.post(CHAT, json=a_chat(stream=True))

    assert answer.status_code == 400
    assert envelope(answer)["message"] == "The schema is not one."


async def test_an_echo_alone_counts_no_completion() -> None:
    """vLLM counts one token."""
    async with a_server().client() as client:
        answer = (await client.post(COMPLETIONS, json=a_completion(echo=True, max_tokens=0))).json()

    assert answer["usage"]["completion_tokens"] == 0
    assert answer["choices"][0]["text"] == "The capital of France is"


async def test_the_newer_name_of_the_limit_wins() -> None:
    """As with OpenAI."""
    async with a_server(Script(reply="one two three")).client() as client:
        answer = (await client.post(CHAT, json=a_chat(max_tokens=3, max_completion_tokens=1))).json()

    assert answer["usage"]["completion_tokens"] == 1
