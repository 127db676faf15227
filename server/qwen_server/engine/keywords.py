"""Which keywords of one object of a schema xgrammar 0.2.8 reads together; beside some it drops all others in silence.

Found by holding what its grammars accept against JSON Schema (tests/server_engine/test_enforced.py). It must never
judge an object by what stands within it. Pure.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

Part = Mapping[str, object]

NUMBER = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
STRING = frozenset({"minLength", "maxLength", "pattern", "format"})
ARRAY = frozenset({"items", "prefixItems", "unevaluatedItems", "minItems", "maxItems"})
OBJECT = frozenset(
    {
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "unevaluatedProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
    }
)
OF_TYPE: Mapping[str, frozenset[str]] = {
    "integer": NUMBER,
    "number": NUMBER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}
"""Keywords by the type of value that they say something of."""
ALONE = ("$ref", "anyOf", "oneOf", "allOf", "enum", "const")
"""Keywords beside which all others are dropped."""
NEVER = frozenset(
    {
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "additionalItems",
        "uniqueItems",
        "contains",
        "minContains",
        "maxContains",
    }
)
"""Keywords that are not read at all."""
KNOWN = frozenset(chain(NEVER, ALONE, *OF_TYPE.values()))
"""All that says something of a value, but for its type."""
PYTHON: Mapping[type, Sequence[str]] = {
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    str: ("string",),
    list: ("array",),
    dict: ("object",),
    type(None): ("null",),
}
"""The types that a value may be declared to have."""


def is_taken_whole(part: Part) -> bool:
    """Whether each keyword counts."""
    said = KNOWN.intersection(part)
    alone = [each for each in ALONE if each in part]
    if alone:
        return said == {alone[0]} and stands_alone(alone[0], part)
    return not said & NEVER and is_typed(part, said) and names_what_it_requires(part) and not in_the_way(part, said)


def declared(part: Part) -> frozenset[str]:
    """The types that a part names; none where it names none."""
    given = part.get("type")
    return frozenset([given] if isinstance(given, str) else given if isinstance(given, list | tuple) else ())


def stands_alone(keyword: str, part: Part) -> bool:
    """Whether a type beside such a keyword says nothing that the keyword does not say."""
    value, types = part[keyword], declared(part)
    if keyword == "allOf":
        return isinstance(value, list | tuple) and len(value) == 1 and not types
    if not types:
        return True
    if keyword in ("enum", "const"):
        values = value if keyword == "enum" and isinstance(value, list | tuple) else [value]
        return all(types & {*PYTHON.get(type(each), ())} for each in values)
    return keyword != "$ref" and isinstance(value, list | tuple) and all(is_one_of(types, each) for each in value)


def is_one_of(types: frozenset[str], alternative: object) -> bool:
    """Whether an alternative names types, and only these."""
    return isinstance(alternative, Mapping) and bool(named := declared(alternative)) and named <= types


def is_typed(part: Part, said: frozenset[str]) -> bool:
    """Whether what is said of values of a type meets that type: without one it is dropped, but for what implies it."""
    types = declared(part)
    if types:
        return said <= frozenset().union(*(OF_TYPE.get(each, frozenset()) for each in types))
    return not said or any(each in said and said <= read for each, read in IMPLIED.items())


IMPLIED: Mapping[str, frozenset[str]] = {
    "properties": frozenset({"properties", "required", "additionalProperties"}),
    "items": frozenset({"items", "prefixItems", "minItems", "maxItems"}),
    "prefixItems": frozenset({"items", "prefixItems", "minItems", "maxItems"}),
}
"""Keywords that imply a type, and those that are read beside them without one."""


def names_what_it_requires(part: Part) -> bool:
    """A property that is required and not described may be left out where others may come."""
    required, known = part.get("required"), part.get("properties")
    if not isinstance(required, list | tuple):
        return True
    return {*map(str, required)} <= {*known} if isinstance(known, Mapping) else not required


def in_the_way(part: Part, said: frozenset[str]) -> bool:
    """Whether a keyword keeps another one from being read."""
    closed = any(part.get(each) is False for each in ("additionalProperties", "unevaluatedProperties"))
    return said >= {"pattern", "format"} or ("propertyNames" in said and closed)
