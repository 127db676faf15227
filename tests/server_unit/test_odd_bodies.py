"""Thousands of bodies that no client means: each is answered, none breaks the server."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server_unit.builders import a_chat, a_completion, a_server

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, 1.5, -0.0, 1e308, float("inf"), float("nan")),
    *("", " ", "qwen3", "text", "\x00", "\ud800", "9" * 5000, "🦆" * 100, "user", "assistant", "tool", "null"),
    *([], [[]], [None], [0], ["", 0], [[1], [2]], [{}], {}, {"": ""}, {"type": "text"}, {"role": "user"}),
    *({"type": "text", "text": 5}, {"role": "tool", "content": []}, {"function": {}}, {"include_usage": "x"}),
]
FULL = {
    "n": 1,
    "stop": ["x"],
    "stream": False,
    "max_tokens": 3,
    "temperature": 0.5,
    "logit_bias": {"5": 1},
    "stream_options": None,
    "tools": [],
    "seed": 1,
    "response_format": {"type": "text"},
}
CHAT = (
    a_chat()
    | FULL
    | {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "tool_calls": [{"id": "i", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "i", "content": "b"},
            {"role": "user", "content": "c"},
        ]
    }
)
COMPLETION = a_completion(["a", "b"]) | FULL


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside of a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with another value at one place, or without the place."""
    result = copy.deepcopy(body)
    parent = result
    for key in path[:-1]:
        parent = parent[key]
    if value is KeyError:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return result


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/completions", COMPLETION)], ids=["chat", "completion"]
)
async def test_an_odd_value_anywhere_is_answered_with_the_envelope(path: str, body: Any) -> None:
    """At each place each odd value: 200, or 400 or 422 with one sentence; never a defect of ours."""
    server = a_server(context=1000)
    async with server.client() as client:
        for place in places(body):
            for value in [*ODD, KeyError]:
                content = json.dumps(changed(body, place, value)).encode()
                answer = await client.post(path, content=content, headers={"Content-Type": "application/json"})
                assert answer.status_code in (200, 400, 422), (place, value, answer.text)
                if answer.status_code != 200:
                    assert list(answer.json()["error"]) == ["message", "type", "param", "code"]

    assert server.journal() == []


async def test_bodies_cut_or_scrambled_anywhere_are_answered() -> None:
    """Half a body, and bodies with random bytes in them, by a fixed seed."""
    whole, chance = json.dumps(CHAT).encode(), random.Random(7)  # noqa: S311
    bodies = [whole[:size] for size in range(0, len(whole), 7)]
    for _ in range(500):
        scrambled = bytearray(whole)
        for _ in range(3):
            scrambled[chance.randrange(len(whole))] = chance.randrange(256)
        bodies.append(bytes(scrambled))
    server = a_server()
    async with server.client() as client:
        for content in bodies:
            answer = await client.post(
                "/v1/chat/completions", content=content, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in (200, 400, 422), content

    assert server.journal() == []
