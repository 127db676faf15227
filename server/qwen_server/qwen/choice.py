"""Which parsers an answer needs: the model's own chat template tells, never its name.

A template teaches the model the format of its calls, and shows whether it knows reasoning. A parser of reasoning on a
model that has none would take its whole answer away.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from qwen_server.qwen.hermes import hermes
from qwen_server.qwen.marks import CALL
from qwen_server.qwen.pieces import Markup
from qwen_server.qwen.plain import Plain
from qwen_server.qwen.qwen3_coder import FUNCTION, qwen3_coder
from qwen_server.qwen.schema import name, parameters
from qwen_server.qwen.thinking import BEGIN, Thinking

Tools = Sequence[Mapping[str, object]]
MakeMarkup = Callable[[], Markup]


class CallFormat(StrEnum):
    """How a model writes its tool calls; the names are vLLM's."""

    HERMES = "hermes"
    QWEN3_CODER = "qwen3_coder"


def call_format(template: str) -> CallFormat | None:
    """The format that a template teaches, or None where it knows no tools."""
    if FUNCTION in template:
        return CallFormat.QWEN3_CODER
    return CallFormat.HERMES if CALL in template else None


def thinks(template: str) -> bool:
    """Whether a template knows reasoning. One that only cuts earlier reasoning off names nothing but its end."""
    return BEGIN in template


def opens_reasoning(tail: str) -> bool:
    """Whether a prompt ends within the reasoning; `tail` is the text of its last tokens."""
    return tail.rstrip().endswith(BEGIN)


def markup(template: str, tools: Tools, tail: str) -> MakeMarkup | None:
    """What makes a parser for each choice, or None where an answer is text and nothing else.

    :param tools: those that the model was told of.
    """
    form = call_format(template) if tools else None
    if form is None and not thinks(template):
        return None
    types = {name(tool): parameters(tool) for tool in tools}

    def answer() -> Markup:
        if form is None:
            return Plain()
        return hermes() if form is CallFormat.HERMES else qwen3_coder(types)

    if not thinks(template):
        return answer
    opened = opens_reasoning(tail)
    return lambda: Thinking(answer(), opened=opened)
