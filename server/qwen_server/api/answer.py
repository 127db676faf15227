"""From deltas to an answer, whole or streamed: the one path that both kinds of completion take."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import orjson
from starlette.types import Receive, Send

from qwen_server.api.service import Service
from qwen_server.api.steps import Steps, engine_errors, steps
from qwen_server.engine.base import Delta, Prompt
from qwen_server.errors import ApiError, internal
from qwen_server.exchange import ClientGone, Exchange
from qwen_server.generation.chunks import Chunks
from qwen_server.generation.intake import Job
from qwen_server.generation.replies import Choice, Unfinished, fold
from qwen_server.responses import respond
from qwen_server.sse import DONE, EventStream, error_event, first_step

Reply = Callable[[dict[int, Choice]], object]
Fold = Callable[[dict[int, Choice], Iterable[Delta]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to generate, and how both forms of the answer are worded. `chunks` is None for a whole answer.

    `large` says that a whole answer takes long to be worded: it is fetched in steps, and worded beside the event loop.
    """

    prompts: Sequence[Prompt]
    jobs: Sequence[Job]
    chunks: Chunks | None
    reply: Reply
    large: bool = False
    fold: Fold = fold

    @property
    def choices(self) -> int:
        """How many choices the answer has."""
        return sum(job.sampling.n for job in self.jobs)

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts."""
        return sum(len(prompt.token_ids) for prompt in self.prompts)


async def answer(
    service: Service, exchange: Exchange, receive: Receive, send: Send, prepare: Callable[[], Awaitable[Work]]
) -> None:
    """Prepare, generate and send. Raises ApiError while no stream has begun; later errors are told in the stream."""
    stream = EventStream(send)
    try:
        with exchange.attended(receive), engine_errors():
            work = await prepare()
            await generate(service, exchange, work, stream)
    except ApiError as error:
        await end_badly(stream, error)
    except Exception as error:
        if not stream.started or isinstance(error, ClientGone):
            raise
        service.journal.failure("stream failed", error, request=exchange.request_id)
        await end_badly(stream, internal(exchange.request_id))
    finally:
        stream.close()


async def end_badly(stream: EventStream, error: ApiError) -> None:
    """An error after the start is an event; before it, it keeps its status. Raises the error in that case."""
    if not stream.started:
        raise error
    if not stream.finished:
        await stream.write(error_event(error) + DONE, last=True)


async def generate(service: Service, exchange: Exchange, work: Work, stream: EventStream) -> None:
    """Let the engine work, and pass on what it gives. However this ends, the engine stops working for it."""
    streaming = work.chunks is not None or work.large
    exchange.prompt_tokens = work.prompt_tokens
    async with aclosing(steps(service.engine, work.prompts, work.jobs, exchange.request_id, stream=streaming)) as given:
        if work.chunks is None:
            await send_whole(service, exchange, work, given, stream.send)
        else:
            # A task of its own: at every token Python walks all frames between the task and what it waits for, and
            # there are twenty layers above this one. A cancellation goes through to it.
            sending = asyncio.create_task(send_stream(service, exchange, work, work.chunks, given, stream))
            try:
                await sending
            finally:
                exchange.completion_tokens = work.chunks.tokens


async def send_whole(service: Service, exchange: Exchange, work: Work, given: Steps, send: Send) -> None:
    """Fold all deltas, then send the reply."""
    choices: dict[int, Choice] = {}
    async for deltas in given:
        service.pulse.beat()
        exchange.completion_tokens += sum(delta.tokens for delta in deltas)
        work.fold(choices, deltas)
    if len(choices) != work.choices:
        raise Unfinished
    await respond(send, await worded(work, choices))


async def worded(work: Work, choices: dict[int, Choice]) -> bytes:
    """The reply's bytes."""
    if work.large:
        return await asyncio.to_thread(lambda: orjson.dumps(work.reply(choices)))
    return orjson.dumps(work.reply(choices))


async def send_stream(
    service: Service, exchange: Exchange, work: Work, chunks: Chunks, given: Steps, stream: EventStream
) -> None:
    """Every delta as soon as it is there; the last one, the usage and DONE in one write."""
    beat, events, choices = service.pulse.beat, chunks.events, work.choices
    deltas: Sequence[Delta] | None = await first_step(given, stream)
    exchange.first_output = time.perf_counter()
    while deltas is not None:
        beat()
        data = events(deltas)
        if chunks.finished == choices:
            await stream.write(data + chunks.usage(work.prompt_tokens) + DONE, last=True)
        elif data or not stream.started:
            await stream.write(data)
        deltas = await anext(given, None)
    if not stream.finished:
        raise Unfinished
