"""Which parsers an answer may go through: one list of names for the command line and for the code that reads answers.

It must never know how a parser works.
"""

from dataclasses import dataclass
from enum import StrEnum


class ToolCallParser(StrEnum):
    """How a model writes its tool calls; the formats' names are vLLM's."""

    AUTO = "auto"
    NONE = "none"
    HERMES = "hermes"
    QWEN3_CODER = "qwen3_coder"


class ReasoningParser(StrEnum):
    """How a model marks its reasoning."""

    AUTO = "auto"
    NONE = "none"
    QWEN3 = "qwen3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsers:
    """One of each. AUTO is what the model's chat template shows, NONE leaves the markup in the text."""

    tool_call: ToolCallParser = ToolCallParser.AUTO
    reasoning: ReasoningParser = ReasoningParser.AUTO
