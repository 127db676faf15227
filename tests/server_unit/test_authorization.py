"""No path without a key, and every way of having none looks the same."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from qwen_server.keyfiles import Key
from tests.server_unit.builders import KEY, AServer, a_chat, a_server

PATHS = ["/", "/health", "/v1/models", "/v1/models/qwen3", "/v1/chat/completions", "/v1/completions"]
OTHERS = ["/metrics", "/docs", "/openapi.json", "/invocations", "/v1/chat/completions/", "/livez", "/%2e%2e/health"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
MESSAGE = "Invalid API key: send a valid one as `Authorization: Bearer <key>`."
ENVELOPE = {
    "error": {"message": MESSAGE, "type": "invalid_request_error", "param": None, "code": "invalid_api_key"},
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS + OTHERS)
async def test_without_a_key_every_path_and_method_is_refused(path: str, method: str) -> None:
    """Default deny is the outermost layer: nobody learns which paths exist."""
    async with a_server().client(headers={}) as client:
        answer = await client.request(method, path, content=b"not even JSON")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert method == "HEAD" or answer.json() == ENVELOPE


@pytest.mark.parametrize("loaded", [True, False])
async def test_a_key_is_asked_for_before_anything_is_said_of_the_server(loaded: bool) -> None:
    """While the model loads, a stranger hears nothing but 401."""
    async with a_server(loaded=loaded).client(headers={}) as client:
        answer = await client.post("/v1/chat/completions", json=a_chat())

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {KEY}",
        KEY,
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY} {KEY}",
        f"Bearer {KEY.upper()}",
        f"Bearer sha256:{hashlib.sha256(KEY.encode()).hexdigest()}",
        f"Bearer {hashlib.sha256(KEY.encode()).hexdigest()}",
    ],
)
async def test_what_is_no_valid_key_gets_the_same_answer(authorization: str) -> None:
    """Unknown, cut off, wrong scheme, or the digest itself: one body for all."""
    async with a_server().client(headers={"Authorization": authorization}) as client:
        answer = await client.get("/v1/models")

    assert (answer.status_code, answer.json()) == (401, ENVELOPE)


@contextmanager
def executed() -> Iterator[Counter[tuple[str, int]]]:
    """How often each line of the server runs meanwhile."""
    lines: Counter[tuple[str, int]] = Counter()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if "qwen_server" not in frame.f_code.co_filename:
            return None
        if event == "line":
            lines[frame.f_code.co_filename, frame.f_lineno] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


def several_keys() -> AServer:
    """Five keys, of which the third has ended."""
    server = a_server(keys={name: f"key-of-{name}" for name in "abcde"})
    keys = dict(server.ring.keys)
    server.ring.keys = keys | {"c": Key(keys["c"].digest, 1.0)}
    return server


async def test_no_wrong_key_takes_another_way_than_the_others() -> None:
    """Unknown, nearly one of them, or ended: line by line the server does the same, so it takes as long."""
    server = several_keys()
    async with server.client(headers={}) as client:

        async def status(key: str) -> int:
            return (await client.get("/v1/models", headers={"Authorization": f"Bearer {key}"})).status_code

        assert await status("key-of-a") == 200
        ways = []
        for wrong in ("unknown", "key-of-A", "key-of-f", "key-of-c"):
            with executed() as lines:
                assert await status(wrong) == 401
            ways.append(lines)

    assert len(ways[0]) > 20
    assert ways[1:] == ways[:1] * 3


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    """HTTP compares authentication schemes without regard to case."""
    async with a_server().client(headers={"Authorization": f"{scheme} {KEY}"}) as client:
        answer = await client.get("/v1/models")

    assert answer.status_code == 200


async def test_a_key_elsewhere_than_in_the_authorization_header_does_not_count() -> None:
    """Neither the query nor another header: they end up in logs."""
    async with a_server().client(headers={"X-API-Key": KEY, "Api-Key": KEY}) as client:
        answer = await client.get("/v1/models", params={"api_key": KEY})

    assert answer.status_code == 401


async def test_several_keys_are_valid_at_once() -> None:
    """Which is what makes a rotation possible."""
    server = a_server(keys={"alice": "first-fake-key", "bob": "second-fake-key"})
    async with server.client(headers={}) as client:
        answers = [
            await client.get("/v1/models", headers={"Authorization": f"Bearer {key}"})
            for key in ("first-fake-key", "second-fake-key", "third-fake-key")
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 401]


async def test_a_request_is_counted_under_the_name_of_its_key() -> None:
    """The metric knows route, status and the key's name; strangers have none."""
    server = a_server()
    async with server.client() as client:
        await client.get("/v1/models")
        await client.get("/nowhere")
        await client.get("/v1/models", headers={"Authorization": "Bearer wrong"})

    assert 'requests_total{key="alice",route="/v1/models",status="200"} 1.0' in server.metrics()
    assert 'requests_total{key="alice",route="other",status="404"} 1.0' in server.metrics()
    assert 'requests_total{key="",route="other",status="401"} 1.0' in server.metrics()
