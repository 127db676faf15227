"""OpenAI's text completion: the request as it comes, the reply as it goes."""

from typing import Annotated, Literal, NotRequired

from pydantic import Discriminator, Field, Tag
from typing_extensions import TypedDict

from qwen_server.wire.base import MAX_CHOICES, GenerationRequest, Unsupported, form
from qwen_server.wire.logprobs import TextLogprobs
from qwen_server.wire.usage import Usage

MAX_PROMPTS = 1024
MAX_ALTERNATIVES = 5

NoneOrMoreTokens = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A length; nothing at all is for `echo`."""

TokenIds = Annotated[list[int], Field(min_length=1, fail_fast=True)]


def prompt_form(value: object) -> str | None:
    """Which of the four forms this is, judged by the first item."""
    if not isinstance(value, list) or not value:
        return form(value, {str: "<text>", list: "<texts>"})
    return form(value[0], {int: "<ids>", list: "<lists of ids>"}) or "<texts>"


PromptForms = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[str], Field(min_length=1, max_length=MAX_PROMPTS, fail_fast=True), Tag("<texts>")]
    | Annotated[TokenIds, Tag("<ids>")]
    | Annotated[list[TokenIds], Field(max_length=MAX_PROMPTS, fail_fast=True), Tag("<lists of ids>")],
    Discriminator(
        prompt_form,
        custom_error_type="form_type",
        custom_error_message="must be a string, an array of strings, or token ids",
    ),
]


class CompletionRequest(GenerationRequest):
    """The body of POST /v1/completions."""

    prompt: PromptForms
    max_tokens: NoneOrMoreTokens | None = None
    echo: bool | None = None
    suffix: Unsupported = None
    best_of: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=MAX_ALTERNATIVES)] | None = None


class CompletionChoice(TypedDict):
    """One answer."""

    text: str
    index: int
    logprobs: TextLogprobs | None
    finish_reason: str


class CompletionReply(TypedDict):
    """A whole answer."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage


class CompletionChunkChoice(TypedDict):
    """A piece of one answer."""

    index: int
    text: str
    logprobs: TextLogprobs | None
    finish_reason: str | None


class CompletionChunk(TypedDict):
    """One event of a streamed answer; the last one may hold no choice but the usage of all."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChunkChoice]
    usage: NotRequired[Usage | None]
