"""Schemas as people's libraries write them are taken; those of which a part would be dropped are not."""

import enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from qwen_server.engine.enforceable import enforceable


class Colour(enum.StrEnum):
    """An enumeration becomes a definition of its own."""

    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    """One of two that a field tells apart."""

    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=0, le=9)] = 9


class Dog(BaseModel):
    """The other one."""

    kind: Literal["dog"]
    name: Annotated[str, Field(min_length=1, max_length=20)]


class Household(BaseModel):
    """What a library makes of types: references, unions, defaults, maps, tuples."""

    model_config = {"extra": "forbid"}

    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = Field(default=[], max_length=3)
    colour: Colour = Field(default=Colour.RED, description="Of the door.")
    note: str | None = None
    rooms: dict[str, float]
    size: tuple[int, int]
    answer: Literal[1, "one"] | None
    anything: Any = None


def test_what_pydantic_writes_is_taken() -> None:
    """Beside what alone is read stand only words that say nothing of a value."""
    assert enforceable(Household.model_json_schema())


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string", "const": "a"},
        {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "integer"}},
        {"properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False},
        {"type": ["string", "null"], "maxLength": 3},
        {"type": "string", "enum": ["a", "b"]},
        {"type": ["string", "null"], "enum": ["a", None]},
        {"type": "number", "enum": [1, 1.5]},
        {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Note"},
        {"type": "object", "anyOf": [{"type": "object", "properties": {"a": {}}}]},
        {"oneOf": [{"type": "integer", "minimum": 3}, {"type": "string"}]},
        {"allOf": [{"$ref": "#/$defs/x"}], "description": "of one", "$defs": {"x": {"type": "string"}}},
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": False},
        {"type": "string", "x-order": 1},
    ],
)
def test_a_schema_that_is_read_as_a_whole_is_taken(schema: dict[str, object]) -> None:
    """Words that JSON Schema does not know say nothing."""
    assert enforceable(schema)


@pytest.mark.parametrize(
    "part",
    [
        {"not": {"type": "string"}},
        {"type": "integer", "if": {"minimum": 3}, "then": {"maximum": 5}},
        {"allOf": [{"minLength": 1, "type": "string"}, {"type": "string", "maxLength": 5}]},
        {"type": "string", "allOf": [{"type": "string"}]},
        {"type": "object", "properties": {"a": {}}, "oneOf": [{"required": ["a"]}]},
        {"type": "integer", "anyOf": [{"minimum": 3}, {"type": "integer"}]},
        {"type": "integer", "anyOf": [True]},
        {"$ref": "#/$defs/x", "maxLength": 3},
        {"$ref": "#/$defs/x", "type": "string"},
        {"type": "string", "enum": ["a", 1]},
        {"type": "integer", "const": True},
        {"enum": ["a"], "const": "a"},
        {"minimum": 3},
        {"maxLength": 3},
        {"required": ["a"]},
        {"type": "object", "required": ["a"]},
        {"type": "object", "properties": {"a": {}}, "required": ["b"]},
        {"patternProperties": {"^a": {"type": "integer"}}},
        {"properties": {"a": {}}, "minimum": 3},
        {"type": "array", "uniqueItems": True},
        {"type": "object", "dependentRequired": {"a": ["b"]}},
        {"type": "object", "propertyNames": {"enum": ["a"]}, "additionalProperties": False},
        {"type": "string", "pattern": "^a", "format": "email"},
    ],
)
def test_a_schema_of_which_a_part_would_be_dropped_is_not(part: dict[str, object]) -> None:
    """Wherever it stands."""
    assert not enforceable(part)
    assert not enforceable({"type": "object", "properties": {"x": {"type": "array", "items": part}}})
    assert not enforceable({"$ref": "#/$defs/x", "$defs": {"x": part}})


def test_what_is_no_schema_is_left_to_whoever_reads_it() -> None:
    """A value of the wrong kind is refused there, in its own words."""
    assert enforceable({"type": "object", "properties": 3, "required": "a"})
    assert not enforceable({"type": "string", "anyOf": 3})
