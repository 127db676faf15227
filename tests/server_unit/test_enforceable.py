"""Schemas of which a part would be passed over in silence, or be written to a log."""

import pytest

from qwen_server.engine.enforceable import enforceable


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^a$",
        "a|b",
        r"\^a\$b",
        "[^a]b",
        "[$^]",
        "[]^]x",
        "^(?:a|b)+$",
        r"[\]^]",
        "^[A-Z]{2}$",
        r"\(?=",
        "[(?=]",
        "(?<n>a)",
    ],
)
def test_a_plain_pattern_is_taken(pattern: str) -> None:
    """Anchors at the edges, and whatever is escaped or in a class."""
    assert enforceable({"type": "string", "pattern": pattern})


@pytest.mark.parametrize("pattern", ["a(?=b)", "(?!a)b", "(?<=a)b", "(?<!a)b", "a^b", "(^a)", "a$b", "^a$|^b$"])
def test_a_pattern_that_would_be_read_in_part_is_not(pattern: str) -> None:
    """Wherever it stands."""
    part = {"type": "string", "pattern": pattern}

    assert not enforceable(part)
    assert not enforceable({"properties": {"x": {"anyOf": [{"type": "null"}, part]}}})
    assert not enforceable({"patternProperties": {pattern: {}}})


@pytest.mark.parametrize(
    ("reference", "taken"), [("#", True), ("#/$defs/x", True), ("#x", False), ("http://x", False), ("", False)]
)
def test_a_reference_stays_within_its_schema(reference: str, *, taken: bool) -> None:
    """Nothing is ever fetched."""
    assert enforceable({"items": {"$ref": reference}}) is taken


def test_values_are_no_schemas() -> None:
    """Nor are names of properties keywords."""
    assert enforceable({"const": {"$ref": "x"}, "default": {"pattern": "a^"}})
    assert enforceable({"enum": [{"pattern": "(?=x)"}]})
    assert enforceable({"properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}}})
    assert not enforceable({"properties": {"title": {"pattern": "a^"}}})
