"""Answers as Qwen models write them, made from a seed, with what they mean: for tests of the parsers."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "write_file",
            "parameters": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "content": {"type": "string"},
                    "mode": {"type": "integer"},
                    "append": {"type": "boolean"},
                },
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "search-web.v2",
            "parameters": {
                "type": "object",
                "properties": {
                    "query": {"type": "string"},
                    "weight": {"type": "number"},
                    "filters": {"type": "object"},
                    "sites": {"type": "array"},
                },
            },
        },
    },
    {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
]
WORDS = (
    "Paris",
    "naïve",
    "日本語",
    "a < b",
    'said "so"',
    "tab\there",
    "back\\slash",
    "{x}",
    "[1]",
    "a&b",
    "émoji 🦀",
    "it's",
)


@dataclass(frozen=True)
class Called:
    """A call, with its arguments as values."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Conversation:
    """What a model wrote, and what it means."""

    written: str
    thought: str
    text: str
    calls: Sequence[Called]


def words(seeded: random.Random, most: int = 6) -> str:
    """A text of one or several lines, without line breaks at its edges."""
    lines = [" ".join(seeded.choices(WORDS, k=seeded.randint(1, most))) for _ in range(seeded.randint(1, 3))]
    return "\n".join(lines)


def value(seeded: random.Random, kind: str) -> Any:
    """A value of a JSON type."""
    match kind:
        case "integer":
            return seeded.randint(-5, 4096)
        case "number":
            return seeded.choice([0.5, -1.25, 3, 1e-3])
        case "boolean":
            return seeded.random() < 0.5
        case "object":
            return {"lang": words(seeded), "deep": {"n": [1, None, True]}}
        case "array":
            return [words(seeded, 2) for _ in range(seeded.randint(0, 3))]
    return words(seeded)


def called(seeded: random.Random) -> Called:
    """A call of one of the tools, with some of its parameters."""
    function = seeded.choice(TOOLS)["function"]
    properties = function["parameters"]["properties"]
    names = seeded.sample(sorted(properties), seeded.randint(0, len(properties)))
    return Called(function["name"], {name: value(seeded, properties[name]["type"]) for name in names})


def as_json(call: Called) -> str:
    """A call in the format of Hermes."""
    return json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)


def as_xml(call: Called) -> str:
    """A call in the format of Qwen3-Coder."""
    parameters = "".join(f"<parameter={name}>\n{bare(each)}\n</parameter>\n" for name, each in call.arguments.items())
    return f"<function={call.name}>\n{parameters}</function>"


def bare(each: Any) -> str:
    """A value as the chat template of Qwen3-Coder shows it to the model."""
    return each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)


FORMATS = {"hermes": as_json, "xml": as_xml}


def conversation(seed: int, form: str, *, thinks: bool = False) -> Conversation:
    """One answer: perhaps reasoning, perhaps text, perhaps calls; never nothing at all."""
    seeded = random.Random(seed)  # noqa: S311  (a test that can be repeated)
    thought = words(seeded) if thinks else ""
    calls = [called(seeded) for _ in range(seeded.choice([0, 1, 1, 2, 3]))]
    text = words(seeded) if not calls or seeded.random() < 0.6 else ""
    parts = [text, *(f"<tool_call>\n{FORMATS[form](call)}\n</tool_call>" for call in calls)]
    answer = "\n".join(part for part in parts if part)
    written = f"<think>\n{thought}\n</think>\n\n{answer}" if thinks else answer
    return Conversation(written, thought, text, calls)
