"""What xgrammar accepts of a schema that we take is valid by JSON Schema: no part of it was dropped in silence."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema
import pytest

from qwen_server.engine.enforceable import enforceable

SCHEMAS = 2000
TYPES = ["integer", "number", "string", "boolean", "null", "array", "object"]
VALUES: list[object] = [
    0,
    1,
    2,
    3,
    5,
    7,
    -1,
    1.5,
    "",
    "a",
    "b",
    "ab",
    "aab",
    "abcdef",
    "2020-01-01",
    "x@y.zz",
    True,
    None,
]
LISTS: list[object] = [[], [1], [1, 2], [1, 1], ["a"], ["a", 1], [1, "a"], [1, 2, 3, 4], [[]], [None]]
OBJECTS: list[object] = [
    {},
    {"a": 1},
    {"b": 1},
    {"a": "x"},
    {"a": 1, "b": "x"},
    {"a": 1, "b": 2},
    {"c": 1},
    {"a": {"b": 1}},
]
DOCUMENTS = [*VALUES, *LISTS, *OBJECTS, {"a": 1, "b": 1, "c": 1}, {"zz": 1}, {"a": None}, {"a": []}, {"abc": 1}]
REFERRED = {"$defs": {"x": {"type": "string"}}}

Drawn = Mapping[str, object]


class Draw:
    """Random schemas in all of the language, not only in what xgrammar reads."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same schemas each time
        one, many, number = self.part, self.parts, self.chance.randint
        self.words: Mapping[str, Callable[[], object]] = {
            **{word: lambda: number(0, 4) for word in ("minimum", "exclusiveMinimum", "minLength", "minItems")},
            **{word: lambda: number(1, 6) for word in ("maximum", "exclusiveMaximum", "maxLength", "maxItems")},
            **{word: lambda: number(0, 2) for word in ("minProperties", "maxProperties")},
            **{word: lambda: False for word in ("unevaluatedItems", "additionalItems", "unevaluatedProperties")},
            **dict.fromkeys(("items", "contains", "not", "if", "then", "else"), one),
            **{word: lambda: many(2) for word in ("anyOf", "oneOf")},
            **{word: lambda: many(number(1, 2)) for word in ("allOf", "prefixItems")},
            "pattern": lambda: self.chance.choice(["^a", "b$", "^a+$", "b"]),
            "format": lambda: self.chance.choice(["date", "email"]),
            "multipleOf": lambda: 2,
            "uniqueItems": lambda: True,
            "properties": lambda: {name: one() for name in self.names()},
            "required": self.names,
            "additionalProperties": lambda: self.chance.choice([True, False, one()]),
            "patternProperties": lambda: {"^a": one()},
            "propertyNames": lambda: self.chance.choice([{"maxLength": 1}, {"pattern": "^a"}, {"enum": ["a", "b"]}]),
            "dependentRequired": lambda: {"a": ["b"]},
            "dependentSchemas": lambda: {"a": one()},
            "enum": lambda: [self.value() for _ in range(number(1, 3))],
            "const": self.value,
            "$ref": lambda: "#/$defs/x",
        }

    def names(self) -> list[str]:
        """Of properties."""
        return self.chance.sample("abc", self.chance.randint(1, 2))

    def value(self) -> object:
        """What an enumeration may list."""
        return self.chance.choice([1, 2, 3, "a", "ab", None, True, {"a": 1}, [1], 1.5])

    def part(self) -> object:
        """A schema, a small one more often than not."""
        if self.chance.random() < 0.3:
            return self.chance.choice([True, {}, {"type": self.chance.choice(TYPES)}])
        words = self.chance.sample(list(self.words), self.chance.choice([0, 1, 1, 2]))
        return {**self.type(), **{word: self.words[word]() for word in words}}

    def parts(self, count: int) -> list[object]:
        """Several."""
        return [self.part() for _ in range(count)]

    def type(self) -> Drawn:
        """One type, two, or none."""
        if self.chance.random() < 0.3:
            return {}
        return {"type": self.chance.choice([self.chance.choice(TYPES), self.chance.sample(TYPES, 2)])}


def as_any(schema: Any) -> Any:
    """`oneOf` as it is held to: alternatives that exclude each other make no difference."""
    if isinstance(schema, list):
        return [as_any(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {"anyOf" if word == "oneOf" else word: as_any(value) for word, value in schema.items()}


@pytest.fixture(scope="module")
def compiler() -> Any:
    """Of an alphabet of bytes."""
    import xgrammar

    alphabet = [bytes([byte]).decode("latin1") for byte in range(256)]
    return xgrammar.GrammarCompiler(xgrammar.TokenizerInfo(alphabet, stop_token_ids=[0]), max_threads=1)


def accepted(grammar: Any, text: str) -> bool:
    """Whether an answer could be this text."""
    import xgrammar

    matcher = xgrammar.GrammarMatcher(grammar)
    return bool(matcher.accept_string(text) and matcher.is_completed())


def compiled(compiler: Any, schema: Drawn) -> Any:
    """The grammar, or None where either of vLLM and xgrammar refuses the schema."""
    from vllm.v1.structured_output.backend_xgrammar import has_xgrammar_unsupported_json_features

    if has_xgrammar_unsupported_json_features(dict(schema)):
        return None
    try:
        return compiler.compile_json_schema(json.dumps(schema))
    except RuntimeError:
        return None


def test_nothing_of_a_schema_that_is_taken_was_dropped(compiler: Any) -> None:
    """Of every answer that a grammar lets through."""
    judged = 0
    for seed in range(SCHEMAS):
        drawn = Draw(seed).part()
        if not isinstance(drawn, dict) or not enforceable(drawn):
            continue
        schema = {**drawn, **REFERRED}
        grammar = compiled(compiler, schema)
        if grammar is None:
            continue
        judged += 1
        valid = jsonschema.Draft202012Validator(as_any(schema)).is_valid
        let_through = [each for each in DOCUMENTS if accepted(grammar, json.dumps(each)) and not valid(each)]
        assert not let_through, (seed, drawn)
    assert judged > SCHEMAS // 8
