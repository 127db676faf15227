"""What an answer is held to: JSON of a schema, or a call that must be made. One of them at most, in one place.

A model that reasons does so first, unheld, and one that has tools may call them in the place of the JSON. It must never
look at what a schema says: the engine enforces it or refuses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qwen_server.engine.base import OutputSchema, Preface
from qwen_server.errors import IMPOSSIBLE, ApiError
from qwen_server.generation.spoken import TOOL_CALLS
from qwen_server.parsers import Parsers, ReasoningParser
from qwen_server.qwen.choice import MakeMarkup, Tools, calls_markup, ends_reasoning, opens_reasoning, thinking
from qwen_server.qwen.forced import OBJECT, NamedCall, RequiredCalls, named_schema, required_schema
from qwen_server.qwen.marks import CALL, CALL_END
from qwen_server.qwen.plain import Plain
from qwen_server.qwen.schema import name
from qwen_server.qwen.thinking import BEGIN, END
from qwen_server.wire.chat import ChatRequest
from qwen_server.wire.formats import ObjectFormat, SchemaFormat
from qwen_server.wire.tools import NamedTool


@dataclass(frozen=True, slots=True)
class Constraint:
    """A schema that the engine holds the answer to, and the parameter to blame if it can't."""

    schema: Mapping[str, object]
    param: str
    markup: MakeMarkup | None = None
    """How the answer is read behind the reasoning; None where it is text that happens to be JSON."""
    reason: str = TOOL_CALLS
    """Why the choice ends when the model stops: with OpenAI a named call ends as `stop`."""
    or_calls: bool = False
    """The model may call its tools instead."""


def constraint(request: ChatRequest, tools: Tools) -> Constraint | None:
    """What the request holds the answer to, or None.

    :param tools: those that the model is told of.
    :raises ApiError: for a choice that names no tool, or two constraints at once.
    """
    of_calls, of_text = of_tool_choice(request, tools), of_response_format(request, or_calls=bool(tools))
    if of_calls and of_text:
        raise ApiError(
            IMPOSSIBLE, "response_format and a tool_choice that demands a call exclude each other.", "response_format"
        )
    return of_calls or of_text


def output_schema(held_to: Constraint, parsers: Parsers, tail: str) -> OutputSchema:
    """What the engine is told of it.

    :param tail: the end of the prompt, which shows whether the template has opened the reasoning or ended it.
    """
    instead = (CALL, CALL_END) if held_to.or_calls else None
    return OutputSchema(held_to.schema, held_to.param, reasoning_before(parsers, tail), instead)


def reasoning_before(parsers: Parsers, tail: str) -> Preface | None:
    """Room for reasoning before a held answer. A call that a model begins within it could not be held to anything."""
    if parsers.reasoning is ReasoningParser.NONE or ends_reasoning(tail):
        return None
    return Preface(BEGIN, END, opens_reasoning(tail), never=(CALL,))


def held_markup(held_to: Constraint, parsers: Parsers, tools: Tools, tail: str) -> MakeMarkup | None:
    """What makes a parser for each choice, or None where an answer is text and nothing else."""
    answer = calls_markup(parsers, tools) if held_to.or_calls else held_to.markup
    return thinking(answer or Plain, tail) if reasoning_before(parsers, tail) else answer


def of_response_format(request: ChatRequest, *, or_calls: bool) -> Constraint | None:
    """JSON, of a schema or of none."""
    match request.response_format:
        case ObjectFormat():
            return Constraint(OBJECT, "response_format", or_calls=or_calls)
        case SchemaFormat() as asked:
            return Constraint(asked.json_schema.schema_, "response_format.json_schema.schema", or_calls=or_calls)
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
