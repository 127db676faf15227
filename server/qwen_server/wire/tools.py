"""OpenAI's tools: which functions a model may call, and whether it must."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from qwen_server.wire.base import Request, form

MAX_TOOLS = 128


class Function(Request):
    """A function, with its parameters as a JSON schema."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Request):
    """Something that the model may call."""

    type: Literal["function"]
    function: Function


class NamedFunction(Request):
    """A function's name."""

    name: str


class NamedTool(Request):
    """The one tool that the model must call."""

    type: Literal["function"]
    function: NamedFunction


def choice_form(value: object) -> str | None:
    """Which form of `tool_choice` this is."""
    return form(value, {str: "<word>", dict: "<named>"})


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")] | Annotated[NamedTool, Tag("<named>")],
    Discriminator(
        choice_form,
        custom_error_type="form_type",
        custom_error_message="must be a string or an object",
    ),
]


class TemplateArguments(Request):
    """What a request may say to the model's chat template: nothing but whether to reason."""

    model_config = ConfigDict(extra="forbid")

    enable_thinking: bool | None = None
