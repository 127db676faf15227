"""What an answer is held to: JSON of a schema, or a call that must be made. One of them at most, in one place.

It must never look at what a schema says: the engine enforces it or refuses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qwen_server.errors import IMPOSSIBLE, ApiError
from qwen_server.generation.spoken import TOOL_CALLS
from qwen_server.qwen.choice import MakeMarkup, Tools
from qwen_server.qwen.forced import OBJECT, NamedCall, RequiredCalls, named_schema, required_schema
from qwen_server.qwen.schema import name
from qwen_server.wire.chat import ChatRequest
from qwen_server.wire.formats import ObjectFormat, SchemaFormat
from qwen_server.wire.tools import NamedTool


@dataclass(frozen=True, slots=True)
class Constraint:
    """A schema that the engine holds the whole answer to, and the parameter to blame if it can't."""

    schema: Mapping[str, object]
    param: str
    markup: MakeMarkup | None = None
    """How the answer is read; None where it is text that happens to be JSON."""
    reason: str = TOOL_CALLS
    """Why the choice ends when the model stops: with OpenAI a named call ends as `stop`."""


def constraint(request: ChatRequest, tools: Tools) -> Constraint | None:
    """What the request holds the answer to, or None.

    :param tools: those that the model is told of.
    :raises ApiError: for a choice that names no tool, or two constraints at once.
    """
    of_calls, of_text = of_tool_choice(request, tools), of_response_format(request)
    if of_calls and of_text:
        raise ApiError(
            IMPOSSIBLE, "response_format and a tool_choice that demands a call exclude each other.", "response_format"
        )
    return of_calls or of_text


def of_response_format(request: ChatRequest) -> Constraint | None:
    """JSON, of a schema or of none."""
    match request.response_format:
        case ObjectFormat():
            return Constraint(OBJECT, "response_format")
        case SchemaFormat() as asked:
            return Constraint(asked.json_schema.schema_, "response_format.json_schema.schema")
    return None


def of_tool_choice(request: ChatRequest, tools: Tools) -> Constraint | None:
    """A call that must be made. Raises ApiError where there is nothing to call."""
    asked = request.tool_choice
    if isinstance(asked, NamedTool):
        named = [tool for tool in tools if name(tool) == asked.function.name]
        if not named:
            param = "tool_choice.function.name"
            raise ApiError(IMPOSSIBLE, f"{param} names none of the request's tools.", param)
        return Constraint(named_schema(named[0]), "tools", lambda: NamedCall(asked.function.name), "stop")
    if asked != "required":
        return None
    if not tools:
        raise ApiError(IMPOSSIBLE, "tool_choice is `required`, but the request has no tools.", "tool_choice")
    single = request.parallel_tool_calls is False
    return Constraint(required_schema(tools, single_call=single), "tools", RequiredCalls)
