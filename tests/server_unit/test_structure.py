"""A body's structure is told without parsing it, and strings are no structure."""

import json
import random

import pytest

from qwen_server import structure
from qwen_server.structure import Structure
from tests.server_unit.builders import a_chat, a_server


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", Structure()),
        (b"{}", Structure(1)),
        (b'{"a":[1,2,{"b":null}]}', Structure(3, 2, 2)),
        (rb'["{[:,", "\"{", "\\", "\\\"[", {}]', Structure(2, 0, 4)),
        (rb'["\\",{"\":":"}"}]', Structure(2, 1, 1)),
        (b'["never ended {[:,', Structure(1)),
        (b"[[[,,", Structure(3, 0, 2)),
    ],
)
def test_only_what_stands_outside_of_strings_counts(body: bytes, expected: Structure) -> None:
    """Escaped quotes end no string."""
    assert structure.structure(body) == expected


def parts(value: object) -> Structure:
    """The structure of a value, told the slow way."""
    if isinstance(value, dict):
        own = Structure(1, len(value), max(0, len(value) - 1))
        return sum(map(parts, value.values()), own)
    if isinstance(value, list):
        return sum(map(parts, value), Structure(1, 0, max(0, len(value) - 1)))
    return Structure()


def a_value(chance: random.Random, depth: int) -> object:
    """Any JSON, with strings full of what matters."""
    text = "".join(chance.choices('\\"{}[]:,a\n', k=chance.randrange(9)))
    if depth == 0 or chance.random() < 0.3:
        return chance.choice([text, 1, None])
    if chance.random() < 0.5:
        return [a_value(chance, depth - 1) for _ in range(chance.randrange(5))]
    return {f"{text}{number}": a_value(chance, depth - 1) for number in range(chance.randrange(5))}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 17])
def test_where_a_slice_ends_changes_nothing(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Not even between a backslash and its quote."""
    monkeypatch.setattr(structure, "SLICE", size)
    chance = random.Random(size)  # noqa: S311
    for _ in range(200):
        value = a_value(chance, 5)
        assert structure.structure(json.dumps(value).encode()) == parts(value)


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ([[]] * 30_000, "30000 objects and arrays"),
        ({f"k{number}": 1 for number in range(100_001)}, "100000 members of objects"),
        ([1] * 400_010, "400000 commas between values"),
    ],
)
async def test_a_body_of_too_many_parts_is_refused(extra: object, what: str) -> None:
    """Also where nobody would look at them."""
    async with a_server().client() as client:
        answer = await client.post("/v1/chat/completions", json=a_chat(extra=extra))

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, f"The body holds more than {what}.")


async def test_text_that_looks_like_structure_is_text() -> None:
    """However much of it."""
    async with a_server().client() as client:
        answer = await client.post("/v1/chat/completions", json=a_chat("{[:," * 200_000))

    assert answer.status_code == 200
