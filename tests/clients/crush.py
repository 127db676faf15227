"""The requests of crush, a coding agent in Go, for which there is no package that brings the program itself.

Fields and headers are those that crush 0.90 sent to this server on a real run with the configuration of the reference;
the texts are shorter and ours. Both of its provider types send the same, but for the reasoning they hand back.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

Message = dict[str, Any]


class Provider(StrEnum):
    """The two types of provider in crush.json that may name this server."""

    OPENAI = "openai"
    COMPATIBLE = "openai-compat"


def headers(key: str) -> dict[str, str]:
    """Those of every request: of crush itself, and of OpenAI's library for Go."""
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "User-Agent": "Charm-Crush/v0.90.0 (https://charm.land/crush)",
        "X-Session-Affinity": "70c7f6acd4e5c076",
        "X-Session-Id": "70c7f6acd4e5c076",
        "X-Stainless-Arch": "x64",
        "X-Stainless-Lang": "go",
        "X-Stainless-Os": "Linux",
        "X-Stainless-Package-Version": "3.50.0",
        "X-Stainless-Retry-Count": "0",
        "X-Stainless-Runtime": "go",
        "X-Stainless-Runtime-Version": "go1.26.8",
    }


def tool(name: str, *required: str, **properties: Mapping[str, object]) -> Message:
    """A function; none is strict."""
    parameters = {"properties": properties, "required": list(required), "type": "object"}
    function = {"name": name, "strict": False, "description": f"The tool {name}.", "parameters": parameters}
    return {"function": function, "type": "function"}


TEXT = {"description": "A text.", "type": "string"}
NUMBER = {"description": "A number.", "type": "integer"}
EDIT = {"properties": {"old_string": TEXT, "new_string": TEXT}, "required": ["old_string"], "type": "object"}
TOOLS = [
    tool("bash", "description", "command", command=TEXT, description=TEXT, auto_background_after=NUMBER),
    tool("crush_info"),
    tool("multiedit", "file_path", "edits", file_path=TEXT, edits={"items": EDIT, "type": "array"}),
    tool("view", "file_path", file_path=TEXT, limit=NUMBER, offset=NUMBER),
    tool("write", "file_path", "content", content=TEXT, file_path=TEXT),
]
"""Some of its tools: without parameters, with nested ones, with numbers."""


def streamed(messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
    """What is the same in all of its requests."""
    return {
        "messages": list(messages),
        "model": "qwen3",
        "max_tokens": max_tokens,
        "stream_options": {"include_usage": True},
        "stream": True,
    }


def title(task: str) -> dict[str, Any]:
    """The request for a title of the session, which a model that reasons is asked to answer without."""
    system = {"content": "Name the conversation in a few words.\n\n /no_think", "role": "system"}
    user = {"content": f"Name this:\n\n{task}\n <think>\n\n</think>", "role": "user"}
    return streamed([system, user], 40)


def opening(task: str) -> list[Message]:
    """The beginning of a session: two messages of the user in a row."""
    return [
        {"content": "You run in a terminal.\n\n", "role": "system"},
        {"content": "<system_reminder>Your list is empty.</system_reminder>", "role": "user"},
        {"content": task, "role": "user"},
    ]


def turn(messages: Sequence[Message]) -> dict[str, Any]:
    """The request for the next step of a session; the limit is `default_max_tokens` of the configuration."""
    return streamed(messages, 8192) | {"tool_choice": "auto", "tools": TOOLS}


def said(provider: Provider, text: str, reasoning: str, calls: Sequence[Message]) -> Message:
    """The model's message as it goes back: fields that are empty are left out."""
    ordered = [{"id": call["id"], "function": call["function"], "type": "function"} for call in calls]
    thought = reasoning if provider is Provider.COMPATIBLE else ""
    fields = {"content": text, "tool_calls": ordered, "role": "assistant", "reasoning_content": thought}
    return {name: value for name, value in fields.items() if value}


def result(call: Message, text: str) -> Message:
    """What a tool said."""
    return {"content": f"<result>\n{text}\n</result>", "tool_call_id": call["id"], "role": "tool"}
