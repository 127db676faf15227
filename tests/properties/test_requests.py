"""Bodies of requests: each is answered, and whatever is wrong with one is said and breaks nothing."""

import asyncio
import json
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.made_up import ANY, BYTES, almost
from tests.server_unit.builders import a_server
from tests.server_unit.test_odd_bodies import CHAT, COMPLETION

PATHS = st.sampled_from(["/v1/chat/completions", "/v1/completions"])
FINE = 200
REFUSED = {400, 404, 413, 415, 422}


async def answered(path: str, body: bytes) -> httpx.Response:
    """The answer of a server of its own, with whatever it says of itself."""
    server = a_server()
    async with server.client() as client:
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert "Traceback" not in server.written.getvalue()
    return answer


def judged(path: str, body: bytes) -> None:
    """It is answered as described in docs/openapi.json, and never as our own fault."""
    answer = asyncio.run(answered(path, body))

    assert answer.status_code in {FINE, *REFUSED}, (answer.status_code, answer.text)
    if answer.status_code in REFUSED:
        assert answer.json()["error"]["message"]


@given(PATHS, BYTES)
def test_any_bytes_are_answered(path: str, body: bytes) -> None:
    """JSON or not."""
    judged(path, body)


@given(almost(CHAT))
def test_a_chat_that_is_almost_right_is_answered(body: Any) -> None:
    """With anything at some of its places."""
    judged("/v1/chat/completions", json.dumps(body).encode())


@given(almost(COMPLETION))
def test_a_completion_that_is_almost_right_is_answered(body: Any) -> None:
    """With anything at some of its places."""
    judged("/v1/completions", json.dumps(body).encode())


@given(st.dictionaries(st.sampled_from(sorted(CHAT)) | st.text(max_size=8), ANY, max_size=8))
def test_known_fields_with_unknown_values_are_answered(body: Any) -> None:
    """The model may be right or not."""
    judged("/v1/chat/completions", json.dumps(body | {"model": "qwen3"}).encode())
