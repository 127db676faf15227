"""What a parameter's schema says of the type of its value: the XML format writes every value as bare text."""

import json
from collections.abc import Callable, Mapping, Sequence

TEXT = frozenset({"string"})

Parameters = Mapping[str, frozenset[str]]
"""Types by parameter."""


def function(tool: Mapping[str, object]) -> Mapping[str, object]:
    """The function of an entry of a request's `tools`."""
    found = tool.get("function")
    return found if isinstance(found, Mapping) else {}


def name(tool: Mapping[str, object]) -> str:
    """Its name."""
    return str(function(tool).get("name", ""))


def parameters(tool: Mapping[str, object]) -> Parameters:
    """The types of its parameters."""
    schema = function(tool).get("parameters")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return {}
    return {str(name): types(each) for name, each in properties.items()}


def types(schema: object) -> frozenset[str]:
    """All JSON types that a schema allows; text where it does not say."""
    return _named(schema) or TEXT


def _named(schema: object) -> frozenset[str]:
    if not isinstance(schema, Mapping):
        return frozenset()
    given = schema.get("type")
    found = {given} if isinstance(given, str) else set(given) if isinstance(given, Sequence) else set()
    found |= {kind(value) for value in _sequence(schema.get("enum"))}
    for word in ("anyOf", "oneOf", "allOf"):
        for each in _sequence(schema.get(word)):
            found |= _named(each)
    return frozenset(found)


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def kind(value: object) -> str:
    """The JSON type of a value."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _literal(*wanted: type) -> Callable[[str], object]:
    def read(text: str) -> object:
        value = json.loads(text)
        if type(value) not in wanted:
            raise ValueError
        return value

    return read


def _boolean(text: str) -> object:
    return {"true": True, "false": False}[text.lower()]


def _null(text: str) -> object:
    return {"null": None, "none": None}[text.lower()]


def _number(text: str) -> object:
    value = float(text)
    whole = _literal(int, float)
    return int(value) if value.is_integer() and "e" not in text.lower() and "." not in text else whole(text)


READERS: Mapping[str, Callable[[str], object]] = {
    "null": _null,
    "boolean": _boolean,
    "integer": _literal(int),
    "number": _number,
    "object": _literal(dict),
    "array": _literal(list),
}
"""How a bare text becomes a value, the strictest type first; what none can read stays text."""


def value(text: str, allowed: frozenset[str]) -> object:
    """The value that a bare text means where these types are allowed."""
    for name, read in READERS.items():
        if name in allowed:
            try:
                return read(text.strip())
            except (ValueError, KeyError, OverflowError):
                continue
    return text
