"""One JSON object, character by character: its members as they are written, before the object is complete.

It must never build values: text in, text out, so that what is passed on is what was said.
"""

import json
from collections.abc import Callable, Generator

SPACE = " \t\r\n"

Sink = Callable[[str], None]
Characters = Generator[None, str, str]
"""Takes characters, and returns the first one behind what it read."""
Open = Callable[[str], Sink]
"""Where a member's value goes, by its key."""


class Malformed(Exception):  # noqa: N818 - names what the text is
    """The text is no JSON object."""


def members(open_member: Open) -> Generator[None, str, None]:
    """Reads one object and ends at its brace. Raises Malformed as soon as the text can't be one."""
    expect("{", (yield from behind_space()))
    char = yield from behind_space()
    while char != "}":
        key = yield from string(char)
        expect(":", (yield from behind_space()))
        char = yield from value((yield from behind_space()), open_member(key))
        if char == ",":
            char = yield from behind_space()
        else:
            expect("}", char)


def expect(wanted: str, char: str) -> None:
    """Raises Malformed for another character."""
    if char != wanted:
        raise Malformed


def behind_space() -> Characters:
    """The first character that is no white space."""
    while (char := (yield)) in SPACE:
        pass
    return char


def string(char: str) -> Characters:
    """A string, decoded."""
    expect('"', char)
    raw: list[str] = []
    yield from quoted(char, raw.append)
    try:
        return str(json.loads("".join(raw)))
    except ValueError:
        raise Malformed from None


def value(char: str, sink: Sink) -> Characters:
    """Any value as it is written."""
    if char in "{[":
        yield from nested(char, sink)
    elif char == '"':
        yield from quoted(char, sink)
    else:
        while char not in ",}" + SPACE:
            sink(char)
            char = yield
        if char not in SPACE:
            return char
    return (yield from behind_space())


def nested(char: str, sink: Sink) -> Generator[None, str, None]:
    """An object or an array, up to the bracket that closes it."""
    depth = 0
    while True:
        if char == '"':
            yield from quoted(char, sink)
        else:
            sink(char)
            depth += (char in "{[") - (char in "}]")
        if depth == 0:
            return
        char = yield


def quoted(char: str, sink: Sink) -> Generator[None, str, None]:
    """A string with its quotes."""
    sink(char)
    escaped = False
    while True:
        char = yield
        sink(char)
        if char == '"' and not escaped:
            return
        escaped = char == "\\" and not escaped


def is_object(text: str) -> bool:
    """Whether a text is a JSON object, and one that can be read."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
