"""What of a schema xgrammar 0.2.8 passes over, and writes to the log in the caller's own words: to be refused instead.

vLLM knows what else xgrammar cannot do, and asks before it compiles. It must never let a schema's words out. Pure.
"""

import re
from collections.abc import Iterator, Mapping

from qwen_server.engine.keywords import is_taken_whole

UNREAD = frozenset({"const", "enum", "default", "examples", "title", "description"})
"""Keywords whose values are no schemas."""
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
"""Keywords whose values are schemas by name."""
ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""What has no meaning of its own in a pattern: escaped characters, and classes of characters."""
PASSED_OVER = re.compile(r"\(\?<?[=!]|(?<!\A)\^|\$(?!\Z)", re.DOTALL)
"""Groups that only look, and anchors in the middle."""


def enforceable(schema: object) -> bool:
    """Whether none of it would be passed over, but that `oneOf` is held to as `anyOf` is."""
    return all(is_taken_whole(part) and has_plain_strings(part) for part in parts(schema))


def has_plain_strings(part: Mapping[str, object]) -> bool:
    """Whether the patterns of one object are read, and its reference can be followed."""
    reference = part.get("$ref")
    return all(map(is_read, patterns(part))) and (not isinstance(reference, str) or is_local(reference))


def is_read(pattern: str) -> bool:
    """Whether the whole pattern counts."""
    return PASSED_OVER.search(ESCAPED.sub("x", pattern)) is None


def is_local(reference: str) -> bool:
    """Whether a reference points into its own schema."""
    return reference == "#" or reference.startswith("#/")


def patterns(part: Mapping[str, object]) -> Iterator[str]:
    """Every regular expression of one object."""
    if isinstance(pattern := part.get("pattern"), str):
        yield pattern
    if isinstance(named := part.get("patternProperties"), Mapping):
        yield from named


def parts(schema: object) -> Iterator[Mapping[str, object]]:
    """Every object within, itself included."""
    if isinstance(schema, Mapping):
        yield schema
        for key, value in schema.items():
            if key in NAMED and isinstance(value, Mapping):
                yield from parts(list(value.values()))
            elif key not in UNREAD:
                yield from parts(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from parts(value)
