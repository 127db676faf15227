"""POST /v1/completions: the continuation of one or several texts, whole or streamed."""

from collections.abc import Mapping
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from qwen_server.api.answer import Work, answer
from qwen_server.api.service import Service
from qwen_server.engine.base import Sampling
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
from qwen_server.limits import read_json_body
from qwen_server.wire.completions import CompletionReply, CompletionRequest


async def completions(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Read, check, generate. Raises ApiError."""
    request = read_body(CompletionRequest, await read_json_body(scope, receive, service.limits))
    check_model(request.model, service.served_name)
    check_supported(request)
    check_completion(request)
    heading = Heading(f"cmpl-{exchange(scope).request_id}", service.now(), service.served_name)

    async def prepare() -> Work:
        return await completion_work(service, request, heading)

    await answer(service, exchange(scope), receive, send, prepare)


async def completion_work(service: Service, request: CompletionRequest, heading: Heading) -> Work:
    """The prompts rendered, and how to continue them. Raises ApiError when one does not fit the context."""
    echo = request.echo or False
    rendered = [await service.engine.render_text(prompt, with_text=echo) for prompt in prompts(request)]
    sizes, context = [len(prompt.token_ids) for prompt in rendered], service.facts().context_length
    check_scored(request, sizes)
    asked = asked_tokens(request)
    budgets = [granted_tokens(size, asked, context, clamp=service.clamp, source="prompt") for size in sizes]
    return Work(
        prompts=rendered,
        jobs=jobs([text_sampling(request, budget) for budget in budgets], echo=echo),
        chunks=chunks(request, heading) if request.stream else None,
        reply=lambda choices: reply(request, heading, choices, sum(sizes)),
        large=asked_logprobs(request) is not None or selects(request),
    )


def text_sampling(request: CompletionRequest, budget: int) -> Sampling:
    """As many candidates as are wanted; which of them are the best, logprobs tell."""
    asked = asked_logprobs(request)
    return replace(
        sampling(request, budget),
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
