"""Which parsers an answer needs: the model's own chat template tells, never its name, unless the operator says it.

A template teaches the model the format of its calls, and shows whether it knows reasoning. A parser of reasoning on a
model that has none would take its whole answer away.
"""

from collections.abc import Callable, Mapping, Sequence

from qwen_server.parsers import Parsers, ReasoningParser, ToolCallParser
from qwen_server.qwen.hermes import hermes
from qwen_server.qwen.marks import CALL
from qwen_server.qwen.pieces import Markup
from qwen_server.qwen.plain import Plain
from qwen_server.qwen.qwen3_coder import FUNCTION, qwen3_coder
from qwen_server.qwen.schema import name, parameters
from qwen_server.qwen.thinking import BEGIN, END, Thinking

Tools = Sequence[Mapping[str, object]]
MakeMarkup = Callable[[], Markup]


def chosen(asked: Parsers, template: str) -> Parsers:
    """What is asked for, with the template's own in the place of AUTO."""
    tool_call, reasoning = asked.tool_call, asked.reasoning
    return Parsers(
        tool_call=call_format(template) if tool_call is ToolCallParser.AUTO else tool_call,
        reasoning=marked_reasoning(template) if reasoning is ReasoningParser.AUTO else reasoning,
    )


def call_format(template: str) -> ToolCallParser:
    """The format that a template teaches, or NONE where it knows no tools."""
    if FUNCTION in template:
        return ToolCallParser.QWEN3_CODER
    return ToolCallParser.HERMES if CALL in template else ToolCallParser.NONE


def marked_reasoning(template: str) -> ReasoningParser:
    """Whether a template knows reasoning. One that only cuts earlier reasoning off names nothing but its end."""
    return ReasoningParser.QWEN3 if BEGIN in template else ReasoningParser.NONE


def opens_reasoning(tail: str) -> bool:
    """Whether a prompt ends within the reasoning; `tail` is the text of its last tokens."""
    return tail.rstrip().endswith(BEGIN)


def ends_reasoning(tail: str) -> bool:
    """Whether a prompt ends behind the reasoning, as templates write it where thinking is switched off."""
    return tail.rstrip().endswith(END)


def markup(parsers: Parsers, tools: Tools, tail: str) -> MakeMarkup | None:
    """What makes a parser for each choice, or None where an answer is text and nothing else.

    :param parsers: without AUTO.
    :param tools: those that the model was told of.
    """
    calls = calls_markup(parsers, tools)
    return calls if parsers.reasoning is ReasoningParser.NONE else thinking(calls or Plain, tail)


def calls_markup(parsers: Parsers, tools: Tools) -> MakeMarkup | None:
    """What makes a parser of text and calls, or None where no call is to be read."""
    if not tools or parsers.tool_call is ToolCallParser.NONE:
        return None
    types = {name(tool): parameters(tool) for tool in tools}
    return hermes if parsers.tool_call is ToolCallParser.HERMES else lambda: qwen3_coder(types)


def thinking(answer: MakeMarkup, tail: str) -> MakeMarkup:
    """The parser of an answer with that of the reasoning before it."""
    opened = opens_reasoning(tail)
    return lambda: Thinking(answer(), opened=opened)
