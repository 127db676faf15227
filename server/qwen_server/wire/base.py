"""How every request is read: strictly typed, first error only, what is unknown ignored.

It must never coerce: `"5"` is not 5 and `true` is not 1, because a client that sends them has a defect worth naming.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

MAX_CHOICES = 128
MAX_STOPS = 4
MAX_BIASES = 1024


class Request(BaseModel):
    """A JSON object of a request."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


def form(value: object, forms: Mapping[type[Any], str]) -> str | None:
    """The tag of the form that a value has, or None. Tags in angle brackets never reach a message."""
    return forms.get(type(value))


def stop_form(value: object) -> str | None:
    """Which form of `stop` this is."""
    return form(value, {str: "<text>", list: "<texts>"})


StopText = Annotated[str, Field(min_length=1)]
Stop = Annotated[
    Annotated[StopText, Tag("<text>")]
    | Annotated[list[StopText], Field(max_length=MAX_STOPS, fail_fast=True), Tag("<texts>")],
    Discriminator(
        stop_form,
        custom_error_type="form_type",
        custom_error_message="must be a string or an array of strings",
    ),
]


TokenCount = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A length; editors send caps far above any context, so that is judged with the prompt at hand."""


Bias = Annotated[float, Field(ge=-100, le=100)]
Biases = Annotated[dict[str, Bias], Field(max_length=MAX_BIASES, fail_fast=True)]
"""Every collection fails at its first wrong item: half a million errors would stop the event loop for seconds."""


class StreamOptions(Request):
    """What a stream carries besides text."""

    include_usage: bool | None = None


class GenerationRequest(Request):
    """The fields that chat and text completions share. None and absence mean the same."""

    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1, lt=2**31)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Stop | None = None
    max_tokens: TokenCount | None = None
    logit_bias: Biases | None = None
    ignore_eos: bool | None = None


Unsupported = Any
"""The type of a field whose only use is to be refused."""
