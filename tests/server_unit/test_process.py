"""The life of a real process: start, readiness, drain, and every way to end."""

import asyncio
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_unit.builders import AUTHORIZED, KEY, a_chat, events, said
from tests.server_unit.process import Process, a_process
from tests.server_unit.waiting import eventually, wait_until

CHAT = "/v1/chat/completions"
TWENTY_WORDS = " ".join(f"word{number}" for number in range(20))


def client(process: Process) -> httpx.AsyncClient:
    """A caller with a key."""
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=process.url, headers=AUTHORIZED, timeout=60, limits=limits)


async def stream(caller: httpx.AsyncClient, content: str, begun: asyncio.Semaphore) -> list[Any]:
    """One streamed chat to its end; says when its first text is there."""
    parts: list[str] = []
    async with caller.stream("POST", CHAT, json=a_chat(content, stream=True)) as answer:
        async for text in answer.aiter_text():
            if not parts:
                begun.release()
            parts.append(text)
    return events("".join(parts))


def test_while_the_engine_loads_the_server_says_so(tmp_path: Path) -> None:
    """Both listeners are open before the engine is: alive, not started, not ready, 503 with a key and 401 without."""
    with a_process(tmp_path, load_seconds=3600.0) as process:
        process.listening()

        assert [process.probe(path) for path in ("/livez", "/startupz", "/readyz")] == [200, 503, 503]
        assert httpx.get(process.url + "/v1/models").status_code == 401
        answer = httpx.get(process.url + "/v1/models", headers=AUTHORIZED)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        progress = httpx.get(process.management + "/progress").json()
        assert (progress["phase"], progress["stage"]) == ("starting", "loading weights")

        process.terminate()
        assert process.ended() == 0


def test_a_loaded_server_is_ready_and_names_no_software(tmp_path: Path) -> None:
    """All probes agree, metrics are there, and headers tell nothing of what runs."""
    with a_process(tmp_path) as process:
        process.ready()

        assert [process.probe(path) for path in ("/livez", "/startupz", "/readyz", "/metrics")] == [200] * 4
        answer = httpx.get(process.url + "/health", headers=AUTHORIZED)
        assert answer.json()["status"] == "ok"
        assert "server" not in answer.headers


async def test_sigterm_cuts_no_stream(tmp_path: Path) -> None:
    """Twenty running streams finish word for word, new requests get 503, readiness goes at once, exit is 0."""
    with a_process(tmp_path, token_seconds=0.5) as process:  # ten seconds, in which a slow machine can ask as well
        process.ready()
        begun = asyncio.Semaphore(0)
        async with client(process) as caller:
            streams = [asyncio.ensure_future(stream(caller, TWENTY_WORDS, begun)) for _ in range(20)]
            for _ in streams:
                await begun.acquire()

            process.terminate()
            await eventually(lambda: bool(process.journal("draining")), within=10)
            ready = process.probe("/readyz")
            refused = await caller.get("/v1/models")
            answers = await asyncio.gather(*streams)

        assert (ready, refused.status_code, refused.json()["error"]["code"]) == (503, 503, "shutting_down")
        assert refused.headers["connection"] == "close"
        assert [said(answer) for answer in answers] == [TWENTY_WORDS] * 20
        assert [answer[-1] for answer in answers] == ["[DONE]"] * 20
        assert process.ended() == 0


async def test_after_sigterm_requests_are_still_taken_until_endpoints_have_noticed(tmp_path: Path) -> None:
    """Not ready, but not refusing either."""
    with a_process(tmp_path, "--endpoint-delay", "30") as process:
        process.ready()
        async with client(process) as caller:
            process.terminate()
            await eventually(lambda: bool(process.journal("draining")), within=10)

            assert process.probe("/readyz") == 503
            assert process.probe("/livez") == 200
            assert (await caller.get("/v1/models")).status_code == 200


async def test_at_the_deadline_what_still_runs_is_told(tmp_path: Path) -> None:
    """A stream that can end does so; each of the rest gets a well-formed error event, and the exit is still clean."""
    with a_process(tmp_path, "--drain-timeout", "5", token_seconds=0.05) as process:
        process.ready()
        begun = asyncio.Semaphore(0)
        async with client(process) as caller:
            short, *rest = [
                asyncio.ensure_future(stream(caller, content, begun))
                for content in ("word " * 40, *["word " * 10_000] * 9)
            ]
            for _ in range(10):
                await begun.acquire()
            process.terminate()
            finished, *told = await asyncio.gather(short, *rest)

        assert said(finished) == "word " * 40
        assert [answer[-2]["error"]["code"] for answer in told] == ["shutting_down"] * 9
        assert {answer[-1] for answer in (finished, *told)} == {"[DONE]"}
        assert process.ended() == 0
        assert process.journal("drain deadline")[0]["interrupted"] == 9


def test_a_person_waits_for_no_endpoints(tmp_path: Path) -> None:
    """Ctrl-C ends an idle server at once, whatever the delay."""
    with a_process(tmp_path, "--endpoint-delay", "3600") as process:
        process.ready()
        process.running().send_signal(signal.SIGINT)

        assert process.ended() == 0


def test_an_engine_that_fails_to_start_ends_the_process_with_its_reason(tmp_path: Path) -> None:
    """Status 70 and the engine's own words for the operator."""
    with a_process(tmp_path, start_error="The weights hold no tensor named lm_head; fetch them again.") as process:
        assert process.ended() == 70
        assert process.reason() == {
            "reason": "EngineStartFailed",
            "message": "The weights hold no tensor named lm_head; fetch them again.",
        }


async def test_an_engine_that_dies_ends_every_stream_and_the_process(tmp_path: Path) -> None:
    """Each stream ends with an error event, then the process ends with status 70."""
    with a_process(tmp_path, dies_after_tokens=5, token_seconds=0.01) as process:
        process.ready()
        begun = asyncio.Semaphore(0)
        async with client(process) as caller:
            answers = await asyncio.gather(*(stream(caller, TWENTY_WORDS, begun) for _ in range(5)))

        assert {answer[-2]["error"]["code"] for answer in answers} == {"engine_dead"}
        assert process.ended() == 70
        assert process.reason()["reason"] == "EngineDead"


async def test_an_engine_that_dies_in_the_drain_is_told_to_the_operator(tmp_path: Path) -> None:
    """The end is no clean one because somebody had asked for an end."""
    with a_process(tmp_path, dies_after_tokens=50, token_seconds=0.1) as process:
        process.ready()
        begun = asyncio.Semaphore(0)
        async with client(process) as caller:
            running = asyncio.ensure_future(stream(caller, "word " * 100, begun))
            await begun.acquire()
            process.terminate()
            answer = await running

        assert answer[-2]["error"]["code"] == "engine_dead"
        assert process.journal("draining") != []
        assert process.ended() == 70
        assert process.reason()["reason"] == "EngineDead"


@pytest.mark.parametrize("content", [None, "", "sha256:12"])
def test_without_a_usable_key_nothing_is_started(tmp_path: Path, content: str | None) -> None:
    """Status 78, before any engine is loaded."""
    process = Process(tmp_path).prepare()
    (process.keys / "alice").unlink()
    if content is not None:
        (process.keys / "alice").write_text(content)

    assert process.start().ended() == 78
    assert process.reason()["reason"] == "NoUsableKey"
    assert str(process.keys) in process.reason()["message"]
    assert process.journal("starting") == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--no-such-flag"], "--no-such-flag"),
        (["--port", "70000"], "--port"),
        (["--device", "abacus"], "--device"),
        (["--script", "/no/such/file"], "--script"),
    ],
)
def test_a_wrong_command_line_is_named(tmp_path: Path, arguments: list[str], word: str) -> None:
    """Status 78 and one sentence with the flag."""
    with a_process(tmp_path, *arguments) as process:
        assert process.ended() == 78
        assert process.reason()["reason"] == "InvalidArgument"
        assert word in process.reason()["message"]
        assert "Traceback" not in process.output()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with a_process(tmp_path, "--port", str(port)) as process:
            assert process.ended() == 78
            assert f"port {port}" in process.reason()["message"]


def test_a_key_is_added_and_revoked_without_a_restart(tmp_path: Path) -> None:
    """The bound is for a machine under load; that it takes two seconds at most is a matter of two readings."""
    with a_process(tmp_path) as process:
        process.ready()

        def status(key: str) -> int:
            answer = httpx.get(process.url + "/v1/models", headers={"Authorization": f"Bearer {key}"})
            return answer.status_code

        (process.keys / "bob").write_text("another-fake-key")
        wait_until(lambda: status("another-fake-key") == 200, within=20)
        (process.keys / "alice").unlink()
        wait_until(lambda: status(KEY) == 401, within=20)

        assert status("another-fake-key") == 200


async def test_a_client_that_closes_its_connection_ends_the_engines_work(tmp_path: Path) -> None:
    """The gauge of running requests is back at zero."""
    with a_process(tmp_path, token_seconds=0.05) as process:
        process.ready()
        async with (
            client(process) as caller,
            caller.stream("POST", CHAT, json=a_chat("word " * 10_000, stream=True)) as answer,
        ):
            await anext(answer.aiter_text())

        def idle() -> bool:
            return "qwen_server_requests_running 0.0" in httpx.get(process.management + "/metrics").text

        await eventually(idle, within=20)


MALFORMED = [
    b"NONSENSE secret-in-a-request\r\n\r\n",
    b"POST /v1/models HTTP/1.1\r\nHost: h\r\nContent-Length: secret-in-a-request\r\n\r\n",
    b"POST /v1/models HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nsecret-in-a-request\r\n",
    b"GET /secret-in-a-request/\xff HTTP/1.1\r\nHost: h\r\n\r\n",
]


def raw_answer(url: str, request: bytes) -> bytes:
    """Everything that comes back until the connection is closed."""
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=20) as raw:
        raw.sendall(request)
        return b"".join(iter(lambda: raw.recv(65536), b""))


def test_a_malformed_request_tells_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    """What is no HTTP gets the envelope, on both ports, and no line in the journal; the next request is answered."""
    with a_process(tmp_path) as process:
        process.ready()
        answers = [raw_answer(url, request) for url in (process.url, process.management) for request in MALFORMED]
        for answer in answers:
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 ")
            assert b"content-type: application/json" in head
            assert json.loads(body)["error"]["message"] == "The request is not valid HTTP."

        assert httpx.get(process.url + "/v1/models", headers=AUTHORIZED).status_code == 200
        assert "secret-in-a-request" not in process.output()
        assert [line["event"] for line in process.journal()] == ["starting", "ready"]


def test_nonsense_behind_a_request_is_not_answered_in_the_middle_of_its_answer(tmp_path: Path) -> None:
    """The stream is cut, but nothing is put into it that is no part of it."""
    with a_process(tmp_path, token_seconds=0.05) as process:
        process.ready()
        body = json.dumps(a_chat("word " * 10_000, stream=True)).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", int(process.url.rsplit(":", 1)[1])), timeout=20) as raw:
            raw.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            begun = raw.recv(65536)
            raw.sendall(b"NONSENSE\r\n\r\n")
            answer = begun + b"".join(iter(lambda: raw.recv(65536), b""))

        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"not valid HTTP" not in answer


def test_a_wish_for_another_protocol_is_passed_over(tmp_path: Path) -> None:
    """It needs a key like everything else, and leaves no line in the journal."""
    wish = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA=="}
    with a_process(tmp_path) as process:
        process.ready()

        statuses = [
            httpx.get(process.url + "/v1/models", headers={**wish, **key}).status_code for key in ({}, AUTHORIZED)
        ]

        assert statuses == [401, 200]
        assert [line["event"] for line in process.journal()] == ["starting", "ready"]


def test_outside_of_a_container_no_termination_message_is_left_under_dev(tmp_path: Path) -> None:
    """Only kubelet puts that file there."""
    process = Process(tmp_path, ["--termination-log", "/dev/qwen-termination-log-of-a-test"]).prepare()
    (process.keys / "alice").unlink()

    assert process.start().ended() == 78
    assert not Path("/dev/qwen-termination-log-of-a-test").exists()


def test_every_line_of_the_journal_is_json(tmp_path: Path) -> None:
    """From the start to the end, and nothing is written anywhere else."""
    with a_process(tmp_path) as process:
        process.ready()
        process.terminate()
        process.ended()

        lines = [json.loads(line) for line in process.output().splitlines()]
        assert [line["event"] for line in lines] == ["starting", "ready", "draining", "stopped"]
        assert {"time", "level", "event"} <= set(lines[0])
        assert os.fspath(tmp_path) not in process.output()
