"""Calls that the model was made to write: JSON that the engine holds to a schema, without the model's own marks."""

from collections.abc import Mapping, Sequence

from qwen_server.qwen.calls import merged
from qwen_server.qwen.hermes import JsonCall
from qwen_server.qwen.json_reader import is_object
from qwen_server.qwen.pieces import Arguments, CallBegan, CallEnded, Piece, Text
from qwen_server.qwen.schema import function, name

Schema = Mapping[str, object]
OBJECT: Schema = {"type": "object"}


def named_schema(tool: Mapping[str, object]) -> Schema:
    """What the arguments of one function must be."""
    parameters = function(tool).get("parameters")
    return parameters if isinstance(parameters, Mapping) and parameters else OBJECT


def required_schema(tools: Sequence[Mapping[str, object]], *, single_call: bool) -> Schema:
    """A list of at least one call of these functions."""
    calls: dict[str, object] = {
        "type": "array",
        "items": {"anyOf": [call_schema(tool) for tool in tools]},
        "minItems": 1,
    }
    return calls | {"maxItems": 1} if single_call else calls


def call_schema(tool: Mapping[str, object]) -> Schema:
    """One call with the function's name and arguments."""
    return {
        "type": "object",
        "properties": {"name": {"enum": [name(tool)]}, "arguments": named_schema(tool)},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


class NamedCall:
    """The whole answer is the arguments of one function."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []

    def feed(self, text: str) -> Sequence[Piece]:
        """The call begins with the first text."""
        if not text:
            return []
        began: list[Piece] = [] if self._parts else [CallBegan(self._name)]
        self._parts.append(text)
        return [*began, Arguments(text)]

    def end(self) -> Sequence[Piece]:
        """Whole if the JSON is."""
        return [CallEnded(complete=is_object("".join(self._parts)))] if self._parts else []


class RequiredCalls:
    """The answer is a list of calls."""

    def __init__(self) -> None:
        self._call: JsonCall | None = None
        self._is_text = False

    def feed(self, text: str) -> Sequence[Piece]:
        """Between the calls of a list there are brackets, commas and white space."""
        pieces: list[Piece] = []
        rest: str | None = text
        while rest:
            rest = self._within(self._call, rest, pieces) if self._call else self._between(rest, pieces)
        return merged(pieces)

    def end(self) -> Sequence[Piece]:
        """A list that was cut off ends within a call."""
        return self._call.end() if self._call is not None else []

    def _between(self, text: str, pieces: list[Piece]) -> str | None:
        begin = text.find("{")
        if self._is_text:
            pieces.append(Text(text))
        if self._is_text or begin < 0:
            return None
        self._call = JsonCall("")
        return text[begin:]

    def _within(self, call: JsonCall, text: str, pieces: list[Piece]) -> str | None:
        """What is no call, which an engine that holds to the schema never writes, is text to the end."""
        found, rest = call.feed(text)
        pieces.extend(found)
        if rest is not None:
            self._call = None
            self._is_text = not call.began
        return rest
