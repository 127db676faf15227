"""No canary is seen anywhere but in the answer that it belongs to: over every endpoint, every error, every end."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from qwen_server.app import ROUTES
from qwen_server.engine.base import Prompt, TemplateOptions
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.errors import (
    CONTEXT_EXCEEDED,
    DRAINING,
    ENGINE_DEAD,
    ENGINE_SILENT,
    HEADERS_TOO_LARGE,
    IMPOSSIBLE,
    INTERNAL,
    INTERRUPTED,
    INVALID,
    KINDS,
    MALFORMED,
    METHOD_NOT_ALLOWED,
    MODEL_MISSING,
    MODEL_UNKNOWN,
    NO_SUCH_MODEL,
    NOT_FOUND,
    NOT_JSON,
    SLOW_BODY,
    STARTING,
    TOO_LARGE,
    UNAUTHORIZED,
    UNSUPPORTED,
    Kind,
)
from qwen_server.limits import Limits
from qwen_server.settings import SILENT_SECONDS
from tests.server_unit.asgi import Conversation
from tests.server_unit.builders import a_server, events
from tests.server_unit.canaries import (
    ARGUMENT,
    CHAT,
    COMPLETION,
    COMPLETIONS,
    FILE,
    KEY,
    MESSAGES,
    PROMPT,
    TALKATIVE,
    TOOL,
    TOOLS,
    WRONG_KEY,
    sightings,
    told,
    written,
)
from tests.server_unit.process import Process
from tests.server_unit.test_process import MALFORMED as NO_HTTP
from tests.server_unit.test_process import raw_answer
from tests.server_unit.waiting import eventually

CHATS, TEXTS = "/v1/chat/completions", "/v1/completions"
CALL = f'<tool_call>\n{{"name": "{TOOL}", "arguments": {{"{ARGUMENT}": "{FILE}"}}}}\n</tool_call>'
SCRIPT: dict[str, object] = {
    "reply": f"<think>{COMPLETION}</think>{COMPLETION} {CALL}",
    "chat_template": "<tool_call> <think>",
}
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "X-Canary": PROMPT}
WAYS: list[dict[str, object]] = [
    {},
    {"stream": True},
    {"n": 2, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}},
    {"stop": [PROMPT], "seed": 1, "logit_bias": {"5": 1}, "metadata": {PROMPT: PROMPT}},
    {"logprobs": True, "top_logprobs": 2},
    {"logprobs": True, "stream": True},
    {"tools": TOOLS},
    {"tools": TOOLS, "stream": True},
    {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": TOOL}}},
    {"tools": TOOLS, "tool_choice": "required", "stream": True},
    {"response_format": {"type": "json_schema", "json_schema": {"name": PROMPT, "schema": {"enum": [FILE]}}}},
]
TEXT_WAYS: list[dict[str, object]] = [
    {},
    {"stream": True},
    {"prompt": [PROMPT, PROMPT], "n": 2, "best_of": 3},
    {"echo": True, "logprobs": 2},
    {"echo": True, "logprobs": 0, "stream": True},
]
SUCCESSES = [(CHATS, CHAT | way) for way in WAYS] + [(TEXTS, COMPLETIONS | way) for way in TEXT_WAYS]
Requested = tuple[str, str, bytes, Mapping[str, str]]


def posted(path: str, body: object, **headers: str) -> Requested:
    """A request with a body, and with a canary in every other place."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return "POST", f"{path}?q={PROMPT}", content, HEADERS | headers


REFUSED: dict[Kind, list[Requested]] = {
    MALFORMED: [
        posted(CHATS, PROMPT.encode()),
        posted(TEXTS, b"\xff" + PROMPT.encode()),
        posted(TEXTS, json.dumps(COMPLETIONS).encode()[:-9]),
    ],
    IMPOSSIBLE: [
        posted(CHATS, CHAT | {"temperature": 99}),
        posted(CHATS, CHAT | {"messages": [{"role": PROMPT, "content": PROMPT}]}),
        posted(CHATS, CHAT | {"messages": [MESSAGES[3]]}),
        posted(CHATS, CHAT | {"response_format": {"type": PROMPT}}),
        posted(CHATS, CHAT | {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": PROMPT}}}),
        posted(TEXTS, COMPLETIONS | {"logit_bias": {PROMPT: 1}}),
        posted(TEXTS, COMPLETIONS | {"stop": [PROMPT] * 9}),
        posted(TEXTS, COMPLETIONS | {PROMPT: [[]] * 40_000}),
    ],
    UNSUPPORTED: [posted(CHATS, CHAT | {"functions": [PROMPT]}), posted(TEXTS, COMPLETIONS | {"suffix": PROMPT})],
    MODEL_MISSING: [posted(CHATS, CHAT | {"model": None})],
    MODEL_UNKNOWN: [posted(TEXTS, COMPLETIONS | {"model": PROMPT})],
    CONTEXT_EXCEEDED: [
        posted(CHATS, CHAT | {"max_tokens": 10**9}),
        posted(TEXTS, COMPLETIONS | {"max_tokens": 10**9, "stream": True}),
    ],
    UNAUTHORIZED: [
        posted(CHATS, CHAT, Authorization=f"Bearer {WRONG_KEY}"),
        posted(CHATS, CHAT, Authorization=WRONG_KEY),
        *(("GET", path, b"", {"Authorization": f"Bearer {WRONG_KEY}"}) for path in ROUTES),
    ],
    NOT_FOUND: [posted(f"/{PROMPT}", CHAT), ("GET", f"/v1/{PROMPT}/{FILE}", b"", HEADERS)],
    NO_SUCH_MODEL: [("GET", f"/v1/models/{PROMPT}", b"", HEADERS)],
    METHOD_NOT_ALLOWED: [("DELETE", f"/v1/models/{PROMPT}", b"", HEADERS), ("PUT", CHATS, PROMPT.encode(), HEADERS)],
    TOO_LARGE: [posted(CHATS, PROMPT.encode() * 600_000)],
    NOT_JSON: [posted(CHATS, CHAT, **{"Content-Type": PROMPT})],
    INVALID: [
        posted(CHATS, CHAT | {"messages": PROMPT}),
        posted(CHATS, CHAT | {"messages": [{"role": "user", "content": {PROMPT: PROMPT}}]}),
        posted(TEXTS, COMPLETIONS | {"prompt": [PROMPT, 5]}),
        posted(TEXTS, COMPLETIONS | {"prompt": [[PROMPT]]}),
        posted(TEXTS, COMPLETIONS | {"prompt": {PROMPT: PROMPT}}),
        posted(TEXTS, COMPLETIONS | {"max_tokens": PROMPT}),
        posted(TEXTS, COMPLETIONS | {"best_of": PROMPT}),
        posted(CHATS, CHAT | {"logprobs": PROMPT}),
        posted(CHATS, CHAT | {"tools": [{"type": "function", "function": {"name": [PROMPT]}}]}),
    ],
    HEADERS_TOO_LARGE: [("GET", "/health", b"", HEADERS | {"X-Large": PROMPT * 1000})],
}
"""What a loaded and lively server refuses."""
ELSEWHERE = {SLOW_BODY, INTERNAL, ENGINE_DEAD, STARTING, ENGINE_SILENT, DRAINING, INTERRUPTED}
"""What it takes another state of the server for: the tests below."""


@contextmanager
def talkative(folder: Path, *arguments: str, **script: object) -> Iterator[Process]:
    """A process that says as much as it ever would, with a canary for a key."""
    process = Process(folder, list(arguments), SCRIPT | script, {"HOME": "/", **TALKATIVE}).prepare()
    (process.keys / "alice").write_text(KEY)
    (process.keys / f".{FILE}").write_text(PROMPT)
    (process.keys / "broken").write_text(f"{KEY} {PROMPT}")
    try:
        yield process.start()
    finally:
        process.running().kill()
        process.running().wait()


def caller(process: Process) -> httpx.Client:
    """A client without a key of its own."""
    return httpx.Client(base_url=process.url, timeout=60)


def test_every_error_is_either_provoked_here_or_below() -> None:
    """The table of errors has no row that nobody looks at."""
    assert {*REFUSED, *ELSEWHERE} == set(KINDS)
    assert not {*REFUSED} & ELSEWHERE


def test_a_canary_is_found_wherever_it_is(tmp_path: Path) -> None:
    """The search itself: in the environment, on the command line, in what is written, and in an answer."""
    with talkative(tmp_path, "--host", "canary-argument-0001") as process:
        process.environment["X"] = "canary-environment-0002"
        process.ended()
        assert set(sightings(*written(process))) == {"canary-argument-0001"}
    process = Process(tmp_path, ["--endpoint-delay=1"], {}, {"X": "canary-environment-0002"})
    process.start().ready()
    try:
        assert set(sightings(*told(process))) == {"canary-environment-0002"}
    finally:
        process.running().kill()
        process.running().wait()


def test_no_canary_is_seen_through_any_success_or_refusal(tmp_path: Path) -> None:
    """Of every endpoint, whole and streamed, with tools and logprobs; every refusal; and what is no HTTP at all."""
    with talkative(tmp_path) as process, caller(process.ready()) as client:
        for path, body in SUCCESSES:
            answer = client.post(path, json=body, headers=HEADERS)
            assert (answer.status_code, sightings(str(answer.headers))) == (200, [])
            assert sightings(answer.text) != []
        for kind, requests in REFUSED.items():
            for method, path, content, headers in requests:
                answer = client.request(method, path, content=content, headers=headers)
                assert (answer.status_code, answer.json()["error"]["code"]) == (kind.status, kind.code), (path, content)
                assert sightings(answer.text, str(answer.headers)) == []
        for path in ("/health", "/v1/models", "/v1/models/qwen3"):
            assert sightings(client.get(path, headers=HEADERS).text) == []
        for request in NO_HTTP:
            raw = raw_answer(process.url, request.replace(b"secret-in-a-request", PROMPT.encode()))
            assert sightings(raw.decode()) == []
        said = list(told(process))
        process.terminate()
        assert process.ended() == 0

        assert sightings(*said, *written(process)) == []


@pytest.mark.parametrize("stream", [False, True])
def test_no_canary_is_seen_when_the_engine_refuses(tmp_path: Path, *, stream: bool) -> None:
    """With its own sentence."""
    with talkative(tmp_path, refusal="The engine does not take this.") as process, caller(process.ready()) as client:
        for path, body in ((CHATS, CHAT), (TEXTS, COMPLETIONS)):
            answer = client.post(path, json=body | {"stream": stream}, headers=HEADERS)
            assert (answer.status_code, sightings(answer.text)) == (400, [])

        assert sightings(*told(process), *written(process)) == []


def test_no_canary_is_seen_while_the_engine_loads(tmp_path: Path) -> None:
    """503, and a termination that asks for nobody."""
    with talkative(tmp_path, load_seconds=3600.0) as process, caller(process.listening()) as client:
        answer = client.post(CHATS, json=CHAT, headers=HEADERS)
        said = list(told(process))
        process.terminate()
        assert (process.ended(), answer.status_code, answer.json()["error"]["code"]) == (0, 503, STARTING.code)

        assert sightings(answer.text, *said, *written(process)) == []


@pytest.mark.parametrize("stream", [False, True])
def test_no_canary_is_seen_when_the_engine_dies(tmp_path: Path, *, stream: bool) -> None:
    """In the middle of an answer; the termination message tells of the death alone."""
    with talkative(tmp_path, dies_after_tokens=2) as process, caller(process.ready()) as client:
        answer = client.post(CHATS, json=CHAT | {"tools": TOOLS, "stream": stream}, headers=HEADERS)
        error = events(answer.text)[-2]["error"] if stream else answer.json()["error"]
        assert (error["code"], process.ended()) == (ENGINE_DEAD.code, 70)

        assert sightings(json.dumps(error), *written(process)) == []


async def test_no_canary_is_seen_through_a_drain(tmp_path: Path) -> None:
    """Neither in what is refused meanwhile nor in what is interrupted at its deadline, whole and streamed."""
    with talkative(tmp_path, "--drain-timeout", "2", token_seconds=0.05, reply=f"{COMPLETION} " * 10_000) as process:
        process.ready()
        async with httpx.AsyncClient(base_url=process.url, timeout=60, headers=HEADERS) as client:
            whole, stream = (
                asyncio.ensure_future(client.post(CHATS, json=CHAT | {"max_tokens": 9000, "stream": stream}))
                for stream in (False, True)
            )
            running = "qwen_server_requests_running 2.0"
            await eventually(lambda: running in httpx.get(process.management + "/metrics").text, 30)
            process.terminate()
            await eventually(lambda: bool(process.journal("draining")), 10)
            refused = await client.post(CHATS, json=CHAT)
            said = list(told(process))
            errors = [refused.json()["error"], (await whole).json()["error"], events((await stream).text)[-2]["error"]]

        assert [error["code"] for error in errors] == [DRAINING.code, INTERRUPTED.code, INTERRUPTED.code]
        assert process.ended() == 0
        assert sightings(json.dumps(errors), *said, *written(process)) == []


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ([f"--api-key={KEY}"], KEY),
        (["--api-key", KEY], KEY),
        ([KEY], KEY),
        ([], f"{KEY} {PROMPT}"),
        ([], ""),
    ],
)
def test_no_canary_is_seen_in_a_start_that_fails(tmp_path: Path, arguments: list[str], key: str) -> None:
    """A key on the command line is no flag's, and an unusable one is not told."""
    with talkative(tmp_path, *arguments) as process:
        (process.keys / "alice").write_text(key)
        if not arguments:
            process.running().kill()
            process.running().wait()
            process.start()

        assert process.ended() == 78
        assert sightings(*written(process)) == []


class Broken(ScriptedEngine):
    """An engine whose defects quote what they were given."""

    async def render_chat(self, messages: object, options: TemplateOptions) -> Prompt:
        """Raise with all of it."""
        raise RuntimeError(f"cannot render {messages} {options}")


async def test_no_canary_is_seen_through_a_defect_of_ours() -> None:
    """The error's text stays unsaid; its place and the request's id are enough."""
    server = a_server(engine=Broken(Script()))
    conversation = Conversation(server.app, CHATS, CHAT).begin()
    await conversation.end()

    assert (conversation.status, conversation.error["code"]) == (INTERNAL.status, INTERNAL.code)
    assert len(server.journal()) == 1
    assert sightings(conversation.text, server.written.getvalue(), server.metrics()) == []


async def test_no_canary_is_seen_through_a_body_that_does_not_end() -> None:
    """However much of it has come."""
    server = a_server(limits=Limits(body_seconds=0.05))
    conversation = Endless(server.app, CHATS, CHAT).begin()
    await conversation.end()

    assert (conversation.status, sightings(conversation.text)) == (SLOW_BODY.status, [])
    assert sightings(server.written.getvalue(), server.metrics()) == []


class Endless(Conversation):
    """A body of which the last part never comes."""

    async def receive(self) -> dict[str, object]:
        """The first part, then nothing."""
        message = await super().receive()
        return {**message, "more_body": True}


async def test_no_canary_is_seen_through_a_silent_engine() -> None:
    """Nor the key of who asks."""
    server = a_server(keys={"alice": KEY})
    server.pulse.last -= SILENT_SECONDS + 1
    async with server.client(HEADERS) as client:
        answer = await client.get("/health")

    assert (answer.status_code, answer.json()["error"]["code"]) == (ENGINE_SILENT.status, ENGINE_SILENT.code)
    assert sightings(answer.text, server.written.getvalue(), server.metrics()) == []
