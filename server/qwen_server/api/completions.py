"""POST /v1/completions: the continuation of one or several texts, whole or streamed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.types import Receive, Scope, Send

from qwen_server.api.answer import Work, answer
from qwen_server.api.service import Service
from qwen_server.engine.base import Engine, Prompt, Sampling
from qwen_server.exchange import exchange
from qwen_server.generation.chunks import Chunks, CompletionChunks
from qwen_server.generation.complaints import read_body
from qwen_server.generation.intake import (
    asked_tokens,
    check_model,
    check_supported,
    granted_tokens,
    jobs,
    prompts,
    sampling,
)
from qwen_server.generation.logprobs import asked_logprobs
from qwen_server.generation.replies import Choice, Heading, completion_reply, generated
from qwen_server.generation.selection import best, candidates, check_completion, check_scored, selects
from qwen_server.generation.token_chunks import CompletionTokenChunks
from qwen_server.limits import check_structure, read_json_body
from qwen_server.wire.completions import CompletionReply, CompletionRequest


@dataclass(frozen=True, slots=True)
class Asked:
    """A body that has been read and checked, and its prompts."""

    request: CompletionRequest
    prompts: Sequence[str | list[int]]


async def completions(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Read, check, generate. Raises ApiError."""
    body = await read_json_body(scope, receive, service.limits)
    asked = await service.beside.done(len(body), lambda: read_completion(body, service))
    heading = Heading(f"cmpl-{exchange(scope).request_id}", service.now(), service.served_name)

    async def prepare() -> Work:
        return await completion_work(service, asked, heading)

    await answer(service, exchange(scope), receive, send, prepare)


def read_completion(body: bytes, service: Service) -> Asked:
    """All that can be done without the engine. Raises ApiError."""
    check_structure(body, service.limits)
    request = read_body(CompletionRequest, body)
    check_model(request.model, service.served_name)
    check_supported(request)
    check_completion(request)
    return Asked(request, prompts(request))


async def completion_work(service: Service, asked: Asked, heading: Heading) -> Work:
    """The prompts rendered, and how to continue them. Raises ApiError when one does not fit the context."""
    request, echo = asked.request, asked.request.echo or False
    rendered = await all_rendered(service.engine, asked.prompts, echo=echo)
    sizes, context = [len(prompt.token_ids) for prompt in rendered], service.facts().context_length
    check_scored(request, sizes)
    wanted, one = asked_tokens(request), text_sampling(request)
    budgets = [granted_tokens(size, wanted, context, clamp=service.clamp, source="prompt") for size in sizes]
    return Work(
        prompts=rendered,
        jobs=jobs([replace(one, max_tokens=budget) for budget in budgets], echo=echo),
        chunks=chunks(request, heading) if request.stream else None,
        reply=lambda choices: reply(request, heading, choices, sum(sizes)),
        large=asked_logprobs(request) is not None or selects(request),
    )


async def all_rendered(engine: Engine, given: Sequence[str | list[int]], *, echo: bool) -> list[Prompt]:
    """The prompts one after the other, with room for others in between: token ids alone make no engine wait."""
    rendered = []
    for prompt in given:
        rendered.append(await engine.render_text(prompt, with_text=echo))
        await asyncio.sleep(0)
    return rendered


def text_sampling(request: CompletionRequest) -> Sampling:
    """As many candidates as are wanted; which of them are the best, logprobs tell. The length is not told yet."""
    asked = asked_logprobs(request)
    return replace(
        sampling(request, 0),
        n=candidates(request),
        logprobs=0 if asked is None and selects(request) else asked,
        prompt_logprobs=asked is not None and bool(request.echo),
    )


def chunks(request: CompletionRequest, heading: Heading) -> Chunks:
    """The words of a stream."""
    options = request.stream_options
    with_usage = bool(options and options.include_usage)
    if asked_logprobs(request) is None:
        return CompletionChunks(heading, with_usage=with_usage)
    return CompletionTokenChunks(heading, with_usage=with_usage)


def reply(
    request: CompletionRequest, heading: Heading, choices: Mapping[int, Choice], prompt_tokens: int
) -> CompletionReply:
    """The whole answer: of the candidates, those that are wanted."""
    shown = best(choices, request.n or 1, candidates(request)) if selects(request) else choices
    return completion_reply(
        heading,
        shown,
        prompt_tokens,
        completion_tokens=generated(choices),
        with_logprobs=asked_logprobs(request) is not None,
    )
