"""What each route means: its words, its types, and the errors that it can answer with. The routes are in app.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qwen_server import errors
from qwen_server.errors import Kind
from qwen_server.openapi import examples
from qwen_server.wire.chat import ChatChunk, ChatReply, ChatRequest
from qwen_server.wire.completions import CompletionChunk, CompletionReply, CompletionRequest
from qwen_server.wire.health import Health
from qwen_server.wire.models import ModelCard, ModelList, model_card

EVERYWHERE = (
    *(errors.UNAUTHORIZED, errors.HEADERS_TOO_LARGE, errors.INTERNAL),
    *(errors.STARTING, errors.DRAINING, errors.INTERRUPTED, errors.ENGINE_DEAD),
)
"""Errors of every operation."""
OF_A_BODY = (
    *(errors.MALFORMED, errors.IMPOSSIBLE, errors.UNSUPPORTED, errors.MODEL_MISSING, errors.MODEL_UNKNOWN),
    *(errors.CONTEXT_EXCEEDED, errors.SLOW_BODY, errors.TOO_LARGE, errors.NOT_JSON, errors.INVALID),
)
"""Errors of an operation with a body."""
NOWHERE = (errors.NOT_FOUND, errors.METHOD_NOT_ALLOWED)
"""Errors that belong to no operation: what they answer is none."""

Example = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    id: str
    summary: str
    reply: Any
    """The type of a whole answer."""
    reply_example: Example
    request: Any = None
    request_examples: Mapping[str, Example] = field(default_factory=dict)
    chunk: Any = None
    """The type of one event of a streamed answer."""
    chunk_example: Example = field(default_factory=dict)
    more_errors: tuple[Kind, ...] = ()

    @property
    def errors(self) -> tuple[Kind, ...]:
        """Every error that it can answer with, in the order of the table."""
        mine = {*EVERYWHERE, *self.more_errors, *(OF_A_BODY if self.request else ())}
        return tuple(kind for kind in errors.KINDS if kind in mine)


CARD = model_card("qwen3", 1754001981, 200_000)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("/health", "GET"): Operation(
        id="health",
        summary="Whether the server answers, and how busy it is",
        reply=Health,
        reply_example=examples.HEALTH,
        more_errors=(errors.ENGINE_SILENT,),
    ),
    ("/v1/models", "GET"): Operation(
        id="listModels",
        summary="The model that is served",
        reply=ModelList,
        reply_example={"object": "list", "data": [CARD]},
    ),
    ("/v1/models/{model:path}", "GET"): Operation(
        id="retrieveModel",
        summary="The same model by its id, which may hold slashes",
        reply=ModelCard,
        reply_example=CARD,
        more_errors=(errors.NO_SUCH_MODEL,),
    ),
    ("/v1/chat/completions", "POST"): Operation(
        id="createChatCompletion",
        summary="The next message of a conversation, whole or streamed",
        reply=ChatReply,
        reply_example=examples.CHAT_REPLY,
        request=ChatRequest,
        request_examples={
            "basic": examples.CHAT_REQUEST,
            "advanced": examples.CHAT_REQUEST_IN_FULL,
            "streamed": examples.CHAT_STREAM_REQUEST,
        },
        chunk=ChatChunk,
        chunk_example=examples.CHAT_CHUNK,
    ),
    ("/v1/completions", "POST"): Operation(
        id="createCompletion",
        summary="The continuation of one or several texts, whole or streamed",
        reply=CompletionReply,
        reply_example=examples.TEXT_REPLY,
        request=CompletionRequest,
        request_examples={"basic": examples.TEXT_REQUEST},
        chunk=CompletionChunk,
        chunk_example=examples.TEXT_CHUNK,
    ),
}
"""By path and method, as in the routes."""
