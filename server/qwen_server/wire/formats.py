"""OpenAI's `response_format`: text, any JSON object, or JSON of a schema."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from qwen_server.wire.base import Request


class TextFormat(Request):
    """No constraint."""

    type: Literal["text"]


class ObjectFormat(Request):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchema(Request):
    """A schema with its name. `strict` changes nothing: it is always enforced."""

    name: str
    description: str | None = None
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    strict: bool | None = None


class SchemaFormat(Request):
    """JSON of this schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


FORMS = {"text": "<text>", "json_object": "<object>", "json_schema": "<schema>"}


def format_form(value: object) -> str | None:
    """Which format this is; one without a type is read as text, so that the error names what is missing."""
    given = value.get("type") if isinstance(value, Mapping) else None
    return "<text>" if given is None else FORMS.get(given) if isinstance(given, str) else None


ResponseFormat = Annotated[
    Annotated[TextFormat, Tag("<text>")]
    | Annotated[ObjectFormat, Tag("<object>")]
    | Annotated[SchemaFormat, Tag("<schema>")],
    Discriminator(
        format_form,
        custom_error_type="format",
        custom_error_message="must be one of text, json_object, json_schema",
    ),
]
