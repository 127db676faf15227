"""Canaries: a key, a prompt and a completion that must never be seen outside of the answers they belong to."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server_unit.process import Process, a_process

PROMPT = "canary-prompt-5d1c"
COMPLETION = "canary-completion-77aa"
KEY = "canary-key-e0b3"
WRONG_KEY = "canary-wrong-key-19f4"
CANARIES = (PROMPT, COMPLETION, KEY, WRONG_KEY)


def bodies() -> Iterator[bytes]:
    """Requests that succeed, and one for every way to fail, each with a canary in it."""
    message = {"role": "user", "content": PROMPT}
    good = {"model": "qwen3", "messages": [message], "prompt": PROMPT}
    changes: list[dict[str, object]] = [
        {},
        {"stream": True},
        {"stream": True, "n": 2, "temperature": 0},
        {"model": PROMPT},
        {"model": None},
        {"messages": [{"role": PROMPT, "content": PROMPT}], "prompt": {PROMPT: PROMPT}},
        {"messages": [{"role": "user", "content": {PROMPT: PROMPT}}], "prompt": 5},
        {"messages": [message, {"role": "tool", "content": PROMPT}], "prompt": [PROMPT, 5]},
        {"messages": PROMPT, "prompt": [[PROMPT]]},
        {"max_tokens": PROMPT},
        {"max_tokens": 10**9},
        {"temperature": 99, "stop": [PROMPT] * 9},
        {"logit_bias": {PROMPT: 1000}},
        {"logit_bias": {PROMPT: 1}},
        {"tools": [{"type": "function", "function": {"name": PROMPT}}], "suffix": PROMPT},
        {"response_format": {"type": PROMPT}, "echo": PROMPT},
        {"logprobs": True, "top_logprobs": 2},
        {"logprobs": 2, "echo": True, "best_of": 2},
        {"logprobs": PROMPT, "top_logprobs": PROMPT, "best_of": PROMPT},
        {PROMPT: PROMPT},
    ]
    yield from (json.dumps({**good, **change}).encode() for change in changes)
    yield json.dumps(good).encode()[:-5]
    yield PROMPT.encode()
    yield b"\xff" + PROMPT.encode()


def ask(process: Process) -> str:
    """Send everything to every endpoint, with a right and a wrong key; what errors and probes said."""
    said: list[str] = []
    with httpx.Client(base_url=process.url, timeout=30) as client:
        for key in (KEY, WRONG_KEY):
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "X-Canary": PROMPT}
            for body in bodies():
                for path in ("/v1/chat/completions", "/v1/completions", f"/{PROMPT}", f"/v1/models/{PROMPT}"):
                    with contextlib.suppress(httpx.HTTPError):
                        answer = client.post(path, content=body, headers=headers, params={"q": PROMPT})
                        said.append(answer.text if answer.status_code >= 400 else "")
            said.append(client.get("/v1/models/" + PROMPT, headers=headers).text)
            said.append(client.get("/health", headers={**headers, "X-Large": PROMPT * 2000}).text)
            said.append(
                client.post("/v1/completions", content=PROMPT, headers={**headers, "Content-Type": PROMPT}).text
            )
    said += [httpx.get(process.management + path).text for path in ("/metrics", "/progress", "/readyz", f"/{PROMPT}")]
    return "\n".join(said)


@pytest.mark.parametrize(
    "script",
    [
        {},
        {"refusal": "The engine does not take this."},
    ],
)
def test_no_canary_is_seen_through_success_and_every_failure(tmp_path: Path, script: dict[str, object]) -> None:
    """Neither in errors, probes and metrics nor in anything the process writes."""
    process = Process(tmp_path, [], {"reply": COMPLETION, **script}).prepare()
    (process.keys / "alice").write_text(KEY)
    try:
        process.start().ready()
        answers = ask(process)
        process.terminate()
        assert process.ended() == 0
    finally:
        process.running().kill()
        process.running().wait()

    seen = answers + process.output()
    assert [canary for canary in CANARIES if canary in seen] == []
    assert answers.count('"error"') > 100


def test_no_canary_is_seen_when_the_engine_dies(tmp_path: Path) -> None:
    """Nor in the termination message."""
    with a_process(tmp_path, reply=f"{COMPLETION} {COMPLETION} {COMPLETION}", dies_after_tokens=1) as process:
        process.ready()
        with httpx.Client(base_url=process.url) as client, contextlib.suppress(httpx.HTTPError):
            client.post(
                "/v1/chat/completions",
                json={"model": "qwen3", "messages": [{"role": "user", "content": PROMPT}]},
                headers={"Authorization": "Bearer " + (process.keys / "alice").read_text()},
            )
        assert process.ended() == 70

        seen = process.output() + (tmp_path / "termination-log").read_text()
        assert [canary for canary in CANARIES if canary in seen] == []


@pytest.mark.parametrize("words", [["--api-key", KEY], [f"--api-key={KEY}"], [KEY, "--api-key"]])
def test_no_canary_is_seen_in_a_command_line_that_is_wrong(tmp_path: Path, words: list[str]) -> None:
    """A key does not belong on the command line; the server has no flag for one."""
    with a_process(tmp_path, *words) as process:
        assert process.ended() == 78
        assert "--api-key" in process.reason()["message"]
        assert KEY not in process.output() + (tmp_path / "termination-log").read_text()
