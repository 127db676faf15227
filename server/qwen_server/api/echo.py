"""`echo`: a prompt's text, with its tokens' logprobs where they are asked for, before each of its choices.

It must never stand between the engine and a request that asks for no echo.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from qwen_server.engine.base import Delta, Engine, Prompt, Sampling, TokenLogprob

Steps = AsyncGenerator[Sequence[Delta], None]
Logprobs = tuple[TokenLogprob, ...] | None


def echoing(engine: Engine, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool) -> Steps:
    """One prompt's deltas behind its own text. Raises what the engine raises."""
    if sampling.max_tokens:
        return echoed(engine.generate(prompt, sampling, request_id, stream=stream), prompt.text, sampling)
    if not sampling.prompt_logprobs:
        return unread(prompt.text, sampling.n)
    single = replace(sampling, max_tokens=1, n=1)  # no engine computes less
    return read(engine.generate(prompt, single, request_id, stream=False), prompt.text, sampling.n)


async def echoed(given: Steps, text: str, sampling: Sampling) -> Steps:
    """The prompt comes with each choice's first delta, so that nothing is sent before the engine has answered."""
    begun: set[int] = set()
    of_prompt: Sequence[Delta] = ()
    async with aclosing(given):
        async for deltas in given:
            first = 1 if sampling.prompt_logprobs and not of_prompt else 0
            of_prompt = of_prompt or deltas[:first]
            yield list(behind_prompt(deltas[first:], begun, text, of_prompt[0].logprobs if of_prompt else None))


def behind_prompt(deltas: Sequence[Delta], begun: set[int], text: str, logprobs: Logprobs) -> Iterator[Delta]:
    """The same deltas, and the prompt before a choice that has not begun."""
    for delta in deltas:
        if delta.index not in begun:
            begun.add(delta.index)
            yield Delta(delta.index, text, 0, None, logprobs)
        yield delta


async def unread(text: str, n: int) -> Steps:
    """The text alone: nothing to compute."""
    yield alone(text, n, None)


async def read(given: Steps, text: str, n: int) -> Steps:
    """The text with its logprobs; the token that an engine gives on top is nobody's."""
    async with aclosing(given):
        of_prompt, *_ = [delta async for deltas in given for delta in deltas]
    yield alone(text, n, of_prompt.logprobs)


def alone(text: str, n: int, logprobs: Logprobs) -> list[Delta]:
    """Choices that end where the prompt does."""
    return [Delta(index, text, 0, "length", logprobs) for index in range(n)]
