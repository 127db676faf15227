"""Tool calls as models write them, and the chat templates that teach it."""

from tests.server_unit.conversations import FORMATS, Called

TEMPLATES = {"hermes": "<tool_call> <think>", "xml": "<tool_call> <function= <think>"}
"""What shows each format of calls in a chat template, reasoning included."""


def call(form: str, name: str, **arguments: str) -> str:
    """A call with its marks."""
    return f"<tool_call>\n{FORMATS[form](Called(name, arguments))}\n</tool_call>"


def script(form: str, *answers: str) -> dict[str, object]:
    """The script of a model that thinks before each answer of a conversation."""
    return {"chat_template": TEMPLATES[form], "reply": [f"<think>\nHm.\n</think>\n\n{answer}" for answer in answers]}
