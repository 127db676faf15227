"""POST /v1/completions: the continuation of one or several texts, whole or streamed."""

from starlette.types import Receive, Scope, Send

from qwen_server.api.answer import Work, answer
from qwen_server.api.service import Service
from qwen_server.exchange import exchange
from qwen_server.generation.chunks import CompletionChunks
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
from qwen_server.generation.replies import Heading, completion_reply
from qwen_server.limits import read_json_body
from qwen_server.wire.completions import CompletionRequest


async def completions(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Read, check, generate. Raises ApiError."""
    request = read_body(CompletionRequest, await read_json_body(scope, receive, service.limits))
    check_model(request.model, service.served_name)
    check_supported(request)
    heading = Heading(f"cmpl-{exchange(scope).request_id}", service.now(), service.served_name)

    async def prepare() -> Work:
        return await completion_work(service, request, heading)

    await answer(service, exchange(scope), receive, send, prepare)


async def completion_work(service: Service, request: CompletionRequest, heading: Heading) -> Work:
    """The prompts rendered, and how to continue them. Raises ApiError when one does not fit the context."""
    rendered = [await service.engine.render_text(prompt) for prompt in prompts(request)]
    sizes, context = [len(prompt.token_ids) for prompt in rendered], service.facts().context_length
    asked = asked_tokens(request)
    budgets = [granted_tokens(size, asked, context, clamp=service.clamp, source="prompt") for size in sizes]
    options = request.stream_options
    with_usage = bool(options and options.include_usage)
    return Work(
        prompts=rendered,
        jobs=jobs([sampling(request, budget) for budget in budgets]),
        chunks=CompletionChunks(heading, with_usage=with_usage) if request.stream else None,
        reply=lambda choices: completion_reply(heading, choices, sum(sizes)),
    )
