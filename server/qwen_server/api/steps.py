"""The engine's deltas for a whole request: several prompts or greedy choices become one sequence of steps."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any

from qwen_server.api.echo import echoing
from qwen_server.engine.base import Delta, Engine, EngineDead, InvalidRequest, Prompt
from qwen_server.errors import CONTEXT_EXCEEDED, ENGINE_DEAD, IMPOSSIBLE, ApiError
from qwen_server.generation.intake import Job

KINDS_BY_CODE = {CONTEXT_EXCEEDED.code: CONTEXT_EXCEEDED}

Steps = AsyncGenerator[Sequence[Delta], None]
Queue = asyncio.Queue[Sequence[Delta] | None]
"""Deltas, and None from a part that has ended."""


@contextmanager
def engine_errors() -> Iterator[None]:
    """What the engine reports of its own accord, as answers."""
    try:
        yield
    except InvalidRequest as error:
        raise ApiError(KINDS_BY_CODE.get(error.code, IMPOSSIBLE), str(error), error.param) from None
    except EngineDead:
        raise ApiError(ENGINE_DEAD) from None


def steps(engine: Engine, prompts: Sequence[Prompt], jobs: Sequence[Job], request_id: str, *, stream: bool) -> Steps:
    """All jobs' deltas as they come. Closing it aborts every job. Raises what the engine raises."""
    if len(jobs) == 1:  # The engine's own generator: no layer of ours around every token.
        return of_job(engine, prompts, jobs[0], request_id, stream=stream)
    singles = [of_job(engine, prompts, job, f"{request_id}-{number}", stream=stream) for number, job in enumerate(jobs)]
    return merged(singles, [job.first_index for job in jobs])


def of_job(engine: Engine, prompts: Sequence[Prompt], job: Job, request_id: str, *, stream: bool) -> Steps:
    """One job's deltas; its choices are numbered from 0."""
    prompt = prompts[job.prompt]
    if job.echo:
        return echoing(engine, prompt, job.sampling, request_id, stream=stream)
    return engine.generate(prompt, job.sampling, request_id, stream=stream)


def shifted(deltas: Sequence[Delta], by: int) -> Sequence[Delta]:
    """The same deltas as choices of the whole request."""
    return [replace(delta, index=delta.index + by) for delta in deltas]


async def merged(singles: Sequence[Steps], offsets: Sequence[int]) -> Steps:
    """Whatever comes next from any of them; the first error ends all."""
    queue: Queue = asyncio.Queue(maxsize=len(singles))

    async def pump(single: Steps, offset: int) -> None:
        async with aclosing(single):
            async for deltas in single:
                await queue.put(shifted(deltas, offset))
        await queue.put(None)

    pumps: list[asyncio.Task[None]] = []
    try:
        for single, offset in zip(singles, offsets, strict=True):
            pumps.append(asyncio.create_task(pump(single, offset)))
            await asyncio.sleep(0)  # a thousand requests to the engine at once would hold up all others
        async with aclosing(drained(queue, pumps)) as whatever:
            async for deltas in whatever:
                yield deltas
    finally:
        for each in pumps:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def drained(queue: Queue, pumps: Sequence[asyncio.Task[None]]) -> Steps:
    """What the pumps put in, until all have ended. Raises the first error of a pump."""
    left = len(pumps)
    failed = asyncio.get_running_loop().create_future()
    for each in pumps:
        each.add_done_callback(lambda pump: report(pump, failed))
    while left:
        deltas = await next_of(queue, failed)
        if deltas is None:
            left -= 1
        else:
            yield deltas


async def next_of(queue: Queue, failed: "asyncio.Future[BaseException]") -> Sequence[Delta] | None:
    """The next item. Raises the error that comes before it."""
    getter = asyncio.ensure_future(queue.get())
    first: set[asyncio.Future[Any]] = {getter, failed}
    try:
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()
        return getter.result()
    finally:
        getter.cancel()


def report(pump: asyncio.Task[None], failed: "asyncio.Future[BaseException]") -> None:
    """Pass a pump's error on, once."""
    if not pump.cancelled() and not failed.done() and (error := pump.exception()) is not None:
        failed.set_result(error)
