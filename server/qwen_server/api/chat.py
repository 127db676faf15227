"""POST /v1/chat/completions: a conversation's next message, whole or streamed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.types import Receive, Scope, Send

from qwen_server.api.answer import Work, answer
from qwen_server.api.service import Service
from qwen_server.engine.base import TemplateOptions
from qwen_server.exchange import exchange
from qwen_server.generation.chunks import ChatChunks, Chunks, SpokenChunks
from qwen_server.generation.complaints import read_body
from qwen_server.generation.constraint import Constraint, constraint, held_markup, output_schema
from qwen_server.generation.intake import (
    asked_tokens,
    check_model,
    check_supported,
    granted_tokens,
    jobs,
    plain_messages,
    sampling,
)
from qwen_server.generation.logprobs import asked_logprobs, check_logprobs
from qwen_server.generation.replies import Heading, Speak, chat_reply, fold, fold_chat_tokens
from qwen_server.generation.spoken import TOOL_CALLS, Spoken
from qwen_server.generation.token_chunks import ChatTokenChunks
from qwen_server.generation.toolbox import check_tools, template_arguments, told
from qwen_server.limits import check_structure, read_json_body
from qwen_server.parsers import Parsers
from qwen_server.qwen.choice import markup
from qwen_server.qwen.plain import Plain
from qwen_server.wire.chat import ChatRequest


@dataclass(frozen=True, slots=True)
class Asked:
    """A body that has been read and checked, and what of it goes to the engine."""

    request: ChatRequest
    messages: Sequence[Mapping[str, object]]
    options: TemplateOptions
    held_to: Constraint | None


async def chat_completions(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Read, check, generate. Raises ApiError."""
    body, parsers = await read_json_body(scope, receive, service.limits), service.parsers_in_use()
    asked = await service.beside.done(len(body), lambda: read_chat(body, service, parsers))
    heading = Heading(f"chatcmpl-{exchange(scope).request_id}", service.now(), service.served_name)

    async def prepare() -> Work:
        return await chat_work(service, asked, heading)

    await answer(service, exchange(scope), receive, send, prepare)


def read_chat(body: bytes, service: Service, parsers: Parsers) -> Asked:
    """All that can be done without the engine. Raises ApiError."""
    check_structure(body, service.limits)
    request = read_body(ChatRequest, body)
    check_model(request.model, service.served_name)
    check_supported(request)
    check_logprobs(request)
    tools = told(request)
    check_tools(request, parsers.tool_call)
    options = TemplateOptions(tools=tools, arguments=template_arguments(request), size=len(body))
    return Asked(request, plain_messages(request), options, constraint(request, tools))


async def chat_work(service: Service, asked: Asked, heading: Heading) -> Work:
    """The conversation rendered, and how to answer it. Raises ApiError when it does not fit the context."""
    facts, request, held_to = service.facts(), asked.request, asked.held_to
    prompt = await service.engine.render_chat(asked.messages, asked.options)
    size = len(prompt.token_ids)
    budget = granted_tokens(size, asked_tokens(request), facts.context_length, clamp=service.clamp, source="messages")
    parsers, tail = service.parsers_in_use(), prompt.tail
    speak = await service.beside.done(asked.options.size, lambda: speaking(asked, parsers, tail, heading))
    schema = output_schema(held_to, parsers, tail) if held_to else None
    return Work(
        prompts=[prompt],
        jobs=jobs([replace(sampling(request, budget), schema=schema, logprobs=asked_logprobs(request))]),
        chunks=chunks(request, heading, speak) if request.stream else None,
        reply=lambda choices: chat_reply(heading, choices, size, speak, with_logprobs=bool(request.logprobs)),
        large=bool(request.logprobs),
        fold=fold_chat_tokens if request.logprobs else fold,
    )


def speaking(asked: Asked, parsers: Parsers, tail: str, heading: Heading) -> Speak | None:
    """What makes one choice's answer of its deltas, or None where all are text."""
    held_to = asked.held_to
    tools = asked.options.tools
    make = held_markup(held_to, parsers, tools, tail) if held_to else markup(parsers, tools, tail)
    if make is None:
        return None
    single, called = asked.request.parallel_tool_calls is False, held_to.reason if held_to else TOOL_CALLS
    return lambda index: Spoken(make(), f"{heading.id}/{index}", single_call=single, called=called)


def plainly(heading: Heading) -> Speak:
    """What makes the parser of choices that are text."""
    return lambda index: Spoken(Plain(), f"{heading.id}/{index}")


def chunks(request: ChatRequest, heading: Heading, speak: Speak | None) -> Chunks:
    """The words of a stream."""
    options = request.stream_options
    with_usage = bool(options and options.include_usage)
    if request.logprobs:
        return ChatTokenChunks(heading, speak or plainly(heading), with_usage=with_usage)
    if speak is None:
        return ChatChunks(heading, with_usage=with_usage)
    return SpokenChunks(heading, speak, with_usage=with_usage)
