"""Tokens of several steps given on at once while many streams run: most of what a chunk costs is not its tokens.

vLLM's client of its engine core gives the outputs of one step; what stands here in its place adds those of the next
steps to them, before they become text, events and writes. A request's first output, its last one, and whatever else is
more than tokens goes on at once, behind what was held of the same request. It must never hold a token longer than
HOLD_SECONDS, and nothing where steps are slow or streams are few. Its place is no public interface, so that it is taken
on tested versions only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter, is_
from typing import Any

from qwen_server.engine.version import installed_version, is_tested

HOLD_SECONDS = 0.09
"""From the step that made a token until it is given on; what follows takes the rest of 100 ms."""
SLOW_STEP_SECONDS = HOLD_SECONDS / 2
"""Between two steps, in the mean; from here on waiting gains little, and every token goes on alone."""
MEMORY = 1 / 8
"""How much the latest step says about the mean: one late step changes nothing, a slow model is known after six."""
EACH_UP_TO = 8
"""So many streams get each token in a chunk of its own."""
TOKENS = ("request_id", "new_token_ids")
MORE = (
    "new_logprobs",
    "new_prompt_logprobs_tensors",
    "pooling_output",
    "finish_reason",
    "stop_reason",
    "events",
    "kv_transfer_params",
    "ec_transfer_params",
    "trace_headers",
    "prefill_stats",
    "routed_experts",
    "mm_cache_miss_hashes",
    "new_sampling_mask",
    "spec_decode_metrics",
    "prompt_token_id_logprobs",
    "num_nans_in_logits",
)
"""What an output may hold beside its tokens; all None, but for the number at the end."""
more = attrgetter(*MORE)
NOTHING = (*(None for _ in MORE[:-1]), 0)


def is_plain(output: Any) -> bool:
    """Whether an output is tokens and nothing else."""
    return all(map(is_, more(output), NOTHING))


@dataclass(slots=True)
class Gathering:
    """What is held, and until when. Times are those of the monotonic clock, in seconds."""

    held: dict[str, Any] = field(default_factory=dict)
    due: float = 0.0
    """When what is held has to go."""
    last: float = float("-inf")
    """The time of the last step."""
    pace: float = 0.0
    """Between two steps, in the mean; a pause counts as one slow step."""

    def step(self, outputs: Sequence[Any], made: float, *, gather: bool) -> Sequence[Any]:
        """What is to be given on after a step whose outputs were made at a time."""
        self.pace += (min(made - self.last, HOLD_SECONDS) - self.pace) * MEMORY
        self.last = made
        if self.pace > SLOW_STEP_SECONDS or not gather:
            return [*self.release(), *outputs] if self.held else outputs
        passed: list[Any] = []
        for output in outputs:
            self._take(output, made, passed)
        return passed if made < self.due else [*passed, *self.release()]

    def _take(self, output: Any, made: float, passed: list[Any]) -> None:
        """Hold one output, or pass it behind what is held of its request."""
        before = self.held.get(output.request_id)
        if is_plain(output):
            if before is not None:
                before.new_token_ids.extend(output.new_token_ids)
                return
            self.due = self.due if self.held else made + HOLD_SECONDS
            self.held[output.request_id] = output
            return
        if before is not None:
            passed.append(self.held.pop(output.request_id))
        passed.append(output)

    def release(self) -> list[Any]:
        """Everything that is held."""
        released = list(self.held.values())
        self.held.clear()
        return released


class Gatherer:
    """Stands where vLLM fetches what its core has made; until it is installed it changes nothing."""

    def __init__(self, each_up_to: int = EACH_UP_TO) -> None:
        self.streams = 0
        self._each_up_to = each_up_to
        self._gathering = Gathering()
        self._fetch: Callable[[], Awaitable[Any]]
        self._latest: Any = None
        self._next: asyncio.Future[Any] | None = None

    def install(self, core: Any) -> str | None:
        """Take the place in a client of vLLM's core, or say why that cannot be."""
        why = objection(core)
        if why is None:
            self.stand_before(core)
        return why

    def stand_before(self, core: Any) -> None:
        """Take the place; everything that is fetched from this client passes here from now on."""
        self._fetch, core.get_output_async = core.get_output_async, self.get_output

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One more stream."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    async def get_output(self) -> Any:
        """The next message to be worked on. Raises what vLLM raises, behind everything that is held."""
        if self._gathering.held and not await self._comes_in_time():
            return without_step(self._latest, self._gathering.release())
        message = await self._fetched()
        gather = self.streams > self._each_up_to
        message.outputs = self._gathering.step(message.outputs, message.timestamp, gather=gather)
        self._latest = message
        return message

    async def _comes_in_time(self) -> bool:
        """Whether a message comes before what is held has to go; an error never does."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._fetch())
        left = self._gathering.due - asyncio.get_running_loop().time()
        try:
            await asyncio.wait({self._next}, timeout=max(0.0, left))
        except asyncio.CancelledError:
            self._next.cancel()
            raise
        return self._next.done() and self._next.exception() is None

    async def _fetched(self) -> Any:
        """The message of the next step."""
        if self._next is None:
            return await self._fetch()
        coming, self._next = self._next, None
        if coming.done() and coming.exception() is not None:
            await asyncio.sleep(0)  # whoever waits for tokens takes them before the error takes their place
        return await coming


def without_step(message: Any, outputs: list[Any]) -> Any:
    """A message like another one, of no step of its own: nothing else in it may count twice."""
    return type(message)(engine_index=message.engine_index, outputs=outputs, weight_version=message.weight_version)


def objection(core: Any) -> str | None:
    """Why nothing can be gathered; None if it can."""
    if not is_tested(installed_version()):
        return "this vLLM is not a tested one"
    if not callable(getattr(core, "get_output_async", None)):
        return "its client has no get_output_async"
    from vllm.v1 import engine

    known = getattr(getattr(engine, "EngineCoreOutput", None), "__struct_fields__", ())
    strange = sorted({*known} ^ {*TOKENS, *MORE})
    return f"its outputs differ in {strange[0]}" if strange else None
