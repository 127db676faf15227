"""OpenAI's two shapes of logprobs: a chat's, and the older one of text completions."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from orjson import Fragment
from pydantic import GetPydanticSchema
from typing_extensions import TypedDict


class Alternative(TypedDict):
    """A token with its natural-log probability. `bytes` are the token's own, in UTF-8."""

    token: str
    logprob: float | None
    bytes: list[int]


class ChatToken(Alternative):
    """A token of an answer, and the likeliest ones at its place."""

    top_logprobs: list[Alternative]


MaybeWorded = Annotated[ChatToken | Fragment, GetPydanticSchema(lambda _, schema_of: schema_of(ChatToken))]
"""A token, or its JSON already; whoever reads the JSON sees no difference."""


class ChatLogprobs(TypedDict):
    """Those of a choice, or of a chunk."""

    content: Sequence[MaybeWorded]
    refusal: None


class TextLogprobs(TypedDict):
    """Those of a text completion, a list for each property. An offset counts characters of the choice's text."""

    tokens: Sequence[str]
    token_logprobs: Sequence[float | None]
    top_logprobs: Sequence[Mapping[str, float | None] | None]
    text_offset: Sequence[int]
