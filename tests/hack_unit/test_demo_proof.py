"""What the demo accepts as proof (hack/demo/proof.py, hack/demo/up.py), against servers that answer well and badly."""

import json
from collections.abc import Callable

import httpx2
import pytest
from openai import OpenAI

from hack.demo import proof
from hack.demo.errors import DemoError
from hack.demo.up import told, verdict

Reply = Callable[[httpx2.Request], httpx2.Response]
USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def server(answer: str, *, guarded: bool = True) -> Reply:
    """A server that says the same to everything, and lets everybody in unless guarded."""

    def reply(request: httpx2.Request) -> httpx2.Response:
        if guarded and request.headers["authorization"] != "Bearer good":
            error = {"message": "no", "type": "invalid_request_error", "code": "invalid_api_key"}
            return httpx2.Response(401, json={"error": error})
        if request.url.path == "/v1/models":
            return httpx2.Response(200, json={"object": "list", "data": [{"id": "qwen3", "object": "model"}]})
        if request.url.path == "/v1/completions":
            choice = {"index": 0, "text": answer, "finish_reason": "stop"}
            return httpx2.Response(200, json={"id": "1", "object": "text_completion", "choices": [choice]})
        if json.loads(request.content).get("stream"):
            return httpx2.Response(200, text=streamed(answer), headers={"content-type": "text/event-stream"})
        choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        return httpx2.Response(200, json={"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})

    return reply


def streamed(answer: str) -> str:
    """The answer word by word, as server-sent events."""
    deltas = [*({"content": f"{word} "} for word in answer.split()), {}]
    chunks = [
        {"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def findings(reply: Reply) -> dict[str, proof.Finding]:
    """What proof.py finds of a server, by check."""
    transport = httpx2.Client(transport=httpx2.MockTransport(reply))
    with OpenAI(base_url="http://model/v1", api_key="good", max_retries=0, http_client=transport) as client:
        return {finding.check: finding for finding in proof.findings(client, "qwen3")}


def test_a_server_that_answers_well_passes_every_check() -> None:
    """Each finding carries what came back, for a person to read."""
    found = findings(server("It is Paris."))

    assert [finding.check for finding in found.values() if not finding.holds] == []
    assert found["streams"].evidence == "It is Paris. (4 pieces, stop)"
    assert found["refuses a wrong key"].evidence == "401 invalid_api_key"


def test_a_wrong_answer_is_no_proof() -> None:
    """The capital of France is Paris, and the wrong words are quoted."""
    found = findings(server("It is Rome."))

    assert [finding.check for finding in found.values() if not finding.holds] == ["chats", "streams", "completes"]
    assert "Paris is not in 'It is Rome.'" in found["chats"].evidence


def test_a_server_without_a_lock_is_no_proof() -> None:
    """A wrong key must be refused."""
    found = findings(server("It is Paris.", guarded=False))

    assert [finding.check for finding in found.values() if not finding.holds] == ["refuses a wrong key"]


def test_the_verdict_names_the_first_check_that_does_not_hold() -> None:
    """And counts checks that were never made, such as those of a pod that died."""
    good = told(findings(server("It is Paris.")).values(), lambda _: None)
    bad = tuple(findings(server("It is Rome.")).values())

    assert verdict(good) == "5 of 5 checks hold"
    with pytest.raises(DemoError, match="“chats” does not hold"):
        verdict(bad)
    with pytest.raises(DemoError, match="Only 2 of 5 checks were made"):
        verdict(good[:2])
