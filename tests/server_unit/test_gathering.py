"""Tokens of many streams are given on together: how many streams that takes, for how long, and what never waits."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

import pytest

from qwen_server.engine.gathering import EACH_UP_TO, HOLD_SECONDS, MORE, SLOW_STEP_SECONDS, TOKENS, Gatherer, Gathering

STEP = 0.01
MANY = [f"r{number}" for number in range(EACH_UP_TO + 1)]


@dataclass
class Output:
    """vLLM's output of one request in one step."""

    request_id: str
    new_token_ids: list[int]
    new_logprobs: object = None
    new_prompt_logprobs_tensors: object = None
    pooling_output: object = None
    finish_reason: object = None
    stop_reason: object = None
    events: object = None
    kv_transfer_params: object = None
    ec_transfer_params: object = None
    trace_headers: object = None
    prefill_stats: object = None
    routed_experts: object = None
    mm_cache_miss_hashes: object = None
    new_sampling_mask: object = None
    spec_decode_metrics: object = None
    prompt_token_id_logprobs: object = None
    num_nans_in_logits: int = 0


@dataclass
class Message:
    """What vLLM's core sends after a step."""

    outputs: Sequence[Output] = ()
    timestamp: float = 0.0
    engine_index: int = 0
    weight_version: str | None = None
    scheduler_stats: object = None


@dataclass
class Core:
    """A client of a core: messages at given times, then silence or an error."""

    coming: deque[tuple[float, Message | Exception]]

    async def get_output_async(self) -> Message:
        """The next message when its time has come."""
        at, message = self.coming[0] if self.coming else (1e9, RuntimeError())
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        self.coming.popleft()
        if isinstance(message, Exception):
            raise message
        message.timestamp = at
        return message


def step(number: int, names: Sequence[str] = MANY, **more: Any) -> tuple[float, Message]:
    """A step in which each request gets a token."""
    return number * STEP, Message([Output(name, [number], **more) for name in names], scheduler_stats=number)


def tokens(outputs: Sequence[Output], name: str = MANY[0]) -> list[int]:
    """A request's tokens in the order they are given on."""
    return [token for output in outputs if output.request_id == name for token in output.new_token_ids]


async def given(core: Core, streams: int, messages: int) -> list[tuple[float, Message]]:
    """What comes through a gatherer, and when."""
    gatherer, found = Gatherer(), []
    gatherer.streams = streams
    gatherer.stand_before(core)
    for _ in range(messages):
        message = await core.get_output_async()
        found.append((asyncio.get_running_loop().time(), message))
    return found


def test_the_stand_in_knows_what_an_output_may_hold() -> None:
    """So that the tests below mean vLLM's own outputs; the engine ring compares them with vLLM."""
    assert {each.name for each in fields(Output)} == {*TOKENS, *MORE}


@pytest.mark.looptime
async def test_up_to_eight_streams_get_each_token_alone() -> None:
    """Nothing is touched: each step's message as it came, at once."""
    found = await given(Core(deque(step(number) for number in range(1, 21))), EACH_UP_TO, 20)
    assert [tokens(message.outputs) for _, message in found] == [[number] for number in range(1, 21)]
    assert [at for at, _ in found] == pytest.approx([number * STEP for number in range(1, 21)])


@pytest.mark.looptime
async def test_more_streams_get_several_tokens_at_once_in_their_order() -> None:
    """Whatever a step is made of otherwise still comes with the step."""
    found = await given(Core(deque(step(number) for number in range(1, 41))), EACH_UP_TO + 1, 40)
    batches = [batch for _, message in found if (batch := tokens(message.outputs))]
    every = list(chain.from_iterable(batches))
    assert every == list(range(1, len(every) + 1))
    assert len(batches) <= 1 + len(every) // 7
    steps = [message.scheduler_stats for _, message in found if message.scheduler_stats]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.looptime
@pytest.mark.parametrize("silence", [1, 5, 9, 10, 13])
async def test_nothing_is_held_longer_than_promised_when_steps_stop(silence: int) -> None:
    """A core that falls silent in the middle delays no token that it has made."""
    gatherer, core = Gatherer(), Core(deque(step(number) for number in range(1, silence + 1)))
    gatherer.streams = EACH_UP_TO + 1
    gatherer.stand_before(core)
    ages: dict[int, float] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10.0):
            while True:
                message = await core.get_output_async()
                now = asyncio.get_running_loop().time()
                ages |= {token: now - token * STEP for token in tokens(message.outputs)}
    assert sorted(ages) == list(range(1, silence + 1))
    assert max(ages.values()) <= HOLD_SECONDS + 1e-6


@pytest.mark.looptime
async def test_a_slow_model_is_not_waited_for() -> None:
    """Its tokens, one in 60 ms, are given on alone as soon as its pace is known."""
    core = Core(deque((number * 0.06, step(number)[1]) for number in range(1, 41)))
    found = await given(core, EACH_UP_TO + 1, 40)
    for at, message in found[-20:]:
        (token,) = tokens(message.outputs)
        assert at == pytest.approx(token * 0.06)


def test_one_late_step_changes_nothing() -> None:
    """A machine that is busy for a moment does not make the model a slow one."""
    gathering = Gathering(last=0.0)
    assert gathering.step(step(1)[1].outputs, 2 * SLOW_STEP_SECONDS, gather=True) == []
    assert tokens(gathering.release()) == [1]


@pytest.mark.parametrize(
    "more", [{"events": ["scheduled"]}, {"prefill_stats": 1}, {"finish_reason": "stop"}, {"new_logprobs": [0.5]}]
)
def test_beginnings_ends_and_logprobs_go_on_at_once(more: dict[str, Any]) -> None:
    """Behind what is held of the same request, while all others go on being held."""
    gathering = Gathering(last=0.0)
    assert gathering.step(step(1)[1].outputs, STEP, gather=True) == []
    passed = gathering.step([Output("r0", [2], **more), Output("r1", [2])], 2 * STEP, gather=True)
    assert [(each.request_id, each.new_token_ids) for each in passed] == [("r0", [1]), ("r0", [2])]
    assert tokens(gathering.release(), "r1") == [1, 2]


def test_when_streams_become_few_everything_held_goes_first() -> None:
    """The order of a request's tokens stays."""
    gathering = Gathering(last=0.0)
    gathering.step(step(1)[1].outputs, STEP, gather=True)
    assert tokens(gathering.step(step(2)[1].outputs, 2 * STEP, gather=False)) == [1, 2]
    assert gathering.held == {}


@pytest.mark.looptime
async def test_an_error_comes_behind_everything_that_was_made() -> None:
    """Those who wait for tokens get them before they are told that there will be no more."""
    core = Core(deque([step(1), step(2), (3 * STEP, RuntimeError("dead"))]))
    gatherer = Gatherer()
    gatherer.streams = EACH_UP_TO + 1
    gatherer.stand_before(core)
    assert tokens((await core.get_output_async()).outputs) == []
    assert tokens((await core.get_output_async()).outputs) == []
    assert tokens((await core.get_output_async()).outputs) == [1, 2]
    with pytest.raises(RuntimeError, match="dead"):
        await core.get_output_async()


def test_streams_are_counted_while_they_run() -> None:
    """However they end."""
    gatherer = Gatherer()
    with contextlib.suppress(asyncio.CancelledError), gatherer.counted():
        counted = gatherer.streams
        raise asyncio.CancelledError
    assert (counted, gatherer.streams) == (1, 0)
