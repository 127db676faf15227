"""OpenAI's chat completion: the request as it comes, the reply as it goes."""

from collections.abc import Mapping
from typing import Annotated, Literal, NotRequired

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from qwen_server.wire.base import GenerationRequest, Request, TokenCount, Unsupported, form
from qwen_server.wire.formats import ResponseFormat
from qwen_server.wire.logprobs import ChatLogprobs
from qwen_server.wire.tools import MAX_TOOLS, TemplateArguments, Tool, ToolChoice
from qwen_server.wire.usage import Usage

MAX_MESSAGES = 4096
MAX_CALLS = 1024
"""Tool calls of one message."""
MAX_ALTERNATIVES = 20


class TextPart(Request):
    """A piece of text in a message."""

    type: Literal["text"]
    text: str


def content_form(value: object) -> str | None:
    """Which form of content this is."""
    return form(value, {str: "<text>", list: "<parts>"})


Content = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[TextPart], Field(min_length=1, max_length=MAX_MESSAGES, fail_fast=True), Tag("<parts>")],
    Discriminator(
        content_form,
        custom_error_type="form_type",
        custom_error_message="must be a string or an array of text parts",
    ),
]


class SystemMessage(Request):
    """Instructions; `developer` is OpenAI's newer name of the role."""

    role: Literal["system", "developer"]
    content: Content
    name: str | None = None


class UserMessage(Request):
    """What a person said."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class FunctionCall(Request):
    """A function with its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(Request):
    """A call the model made earlier."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class AssistantMessage(Request):
    """What the model said or called earlier. Clients hand its reasoning back under one of the names they got it by."""

    role: Literal["assistant"]
    content: Content | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=MAX_CALLS, fail_fast=True)] | None = None
    name: str | None = None

    @model_validator(mode="after")
    def says_something(self) -> "AssistantMessage":
        """Content may be missing only beside tool calls, or where the answer was cut off while the model reasoned."""
        if self.content is None and not (self.tool_calls or self.reasoning or self.reasoning_content):
            raise PydanticCustomError("content_missing", "is required unless the message holds tool_calls or reasoning")
        return self


class ToolMessage(Request):
    """What a tool answered."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str


ROLES: dict[str, str] = {
    **dict.fromkeys(("system", "developer"), "<system>"),
    "user": "<user>",
    "assistant": "<assistant>",
    "tool": "<tool>",
}


def role_form(value: object) -> str | None:
    """Which message this is; one without a role is read as a user's, so that the error names what is missing."""
    if not isinstance(value, Mapping) or "role" not in value:
        return "<user>"
    role = value["role"]
    return ROLES.get(role) if isinstance(role, str) else None


Message = Annotated[
    Annotated[SystemMessage, Tag("<system>")]
    | Annotated[UserMessage, Tag("<user>")]
    | Annotated[AssistantMessage, Tag("<assistant>")]
    | Annotated[ToolMessage, Tag("<tool>")],
    Discriminator(
        role_form,
        custom_error_type="role",
        custom_error_message="must be one of system, developer, user, assistant, tool",
    ),
]


class ChatRequest(GenerationRequest):
    """The body of POST /v1/chat/completions."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES, fail_fast=True)]
    max_completion_tokens: TokenCount | None = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS, fail_fast=True)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    chat_template_kwargs: TemplateArguments | None = None
    functions: Unsupported = None
    function_call: Unsupported = None
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MAX_ALTERNATIVES)] | None = None
    audio: Unsupported = None
    modalities: Unsupported = None
    chat_template: Unsupported = None


class ReplyFunction(TypedDict):
    """A function with its arguments as JSON text; in a stream a part of them."""

    name: NotRequired[str]
    arguments: str


class ReplyCall(TypedDict):
    """One call; `index` counts the calls of a stream, where only the first part has an id."""

    index: NotRequired[int]
    id: NotRequired[str]
    type: NotRequired[Literal["function"]]
    function: ReplyFunction


class ReplyMessage(TypedDict):
    """What the model says. Reasoning has two names, since clients look for one or the other."""

    role: Literal["assistant"]
    content: str | None
    reasoning: NotRequired[str]
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ReplyCall]]


class ReplyChoice(TypedDict):
    """One of n answers."""

    index: int
    message: ReplyMessage
    logprobs: NotRequired[ChatLogprobs]
    finish_reason: str


class ChatReply(TypedDict):
    """A whole answer; the fields in the order of the reference."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ReplyChoice]
    usage: Usage


class ChunkDelta(TypedDict):
    """What a chunk adds to a message. The role comes with the first."""

    role: NotRequired[Literal["assistant"]]
    content: NotRequired[str | None]
    reasoning: NotRequired[str]
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ReplyCall]]


class ChunkChoice(TypedDict):
    """A piece of one of n answers."""

    index: int
    delta: ChunkDelta
    logprobs: NotRequired[ChatLogprobs | None]
    finish_reason: str | None


class ChatChunk(TypedDict):
    """One event of a streamed answer; the last one may hold no choice but the usage of all."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: NotRequired[Usage | None]
