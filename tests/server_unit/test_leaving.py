"""Clients that leave, and clients that only have nothing more to say: TCP tells of both in the same way."""

import contextlib
import io
import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_unit.builders import KEY, a_chat, events, said
from tests.server_unit.process import Process, a_process
from tests.server_unit.waiting import wait_until

CHAT = "/v1/chat/completions"
SOON = 20.0
"""Seconds; a bound for a loaded machine. What is aborted here would go on for hours."""


def request(body: Mapping[str, object], version: str = "1.1") -> bytes:
    """A chat as bytes."""
    content = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/{version}\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(content) + content


@contextmanager
def connected(process: Process) -> Iterator[socket.socket]:
    """A raw connection to the API."""
    with socket.create_connection(("127.0.0.1", int(process.url.rsplit(":", 1)[1])), timeout=SOON) as raw:
        yield raw


def rest(raw: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    return b"".join(iter(lambda: raw.recv(65536), b""))


def running(process: Process) -> float:
    """Requests in the engine."""
    metrics = httpx.get(process.management + "/metrics").text
    found = re.search(r"^qwen_server_requests_running (\S+)$", metrics, re.MULTILINE)
    assert found is not None
    return float(found[1])


def final(received: bytes) -> tuple[str, str]:
    """Head and body of the answer, behind whatever announced it; chunks put together."""
    while received.startswith(b"HTTP/1.1 100 "):
        received = received.partition(b"\r\n\r\n")[2]
    head, _, body = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        body = b"".join(chunks(io.BytesIO(body)))
    return head.decode(), body.decode()


def chunks(body: io.BytesIO) -> Iterator[bytes]:
    """The parts of a body, up to the empty one or to where it was cut."""
    while size := int(body.readline() or b"0", 16):
        yield body.read(size)
        body.readline()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_client_that_closes_its_own_side_gets_its_whole_answer(tmp_path: Path, *, stream: bool) -> None:
    """It has said all it will, and listens; vLLM's server takes it for gone."""
    with a_process(tmp_path, first_token_seconds=0.3, token_seconds=0.05) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(request(a_chat("one two three", stream=stream)))
            raw.shutdown(socket.SHUT_WR)
            head, body = final(rest(raw))

    assert head.startswith("HTTP/1.1 200 ")
    assert "connection: close" in head
    told = said(events(body)) if stream else json.loads(body)["choices"][0]["message"]["content"]
    assert told == "one two three"


def test_a_side_that_is_closed_in_the_middle_of_a_stream_cuts_nothing(tmp_path: Path) -> None:
    """And nothing foreign comes into the stream but what its readers pass over."""
    with a_process(tmp_path, token_seconds=0.1) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(request(a_chat("one two three four", stream=True)))
            begun = raw.recv(65536)
            raw.shutdown(socket.SHUT_WR)
            _, body = final(begun + rest(raw))

    found = events(body)
    assert (said(found), found[-1]) == ("one two three four", "[DONE]")


WAITING: dict[str, tuple[dict[str, Any], dict[str, object], bool]] = {
    "a whole answer": ({}, {"token_seconds": 3600.0}, False),
    "the first token of a stream": ({"stream": True}, {"first_token_seconds": 3600.0}, False),
    "the next token of a stream": ({"stream": True}, {"token_seconds": 3600.0}, True),
}


@pytest.mark.parametrize(("fields", "script", "begins"), WAITING.values(), ids=WAITING.keys())
@pytest.mark.parametrize("half", [False, True], ids=["at once", "one side first"])
def test_a_client_that_leaves_ends_the_engines_work(
    tmp_path: Path, fields: dict[str, Any], script: dict[str, object], begins: bool, half: bool
) -> None:
    """Although the next word to it would come in an hour."""
    with a_process(tmp_path, **script) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(request(a_chat("one two", **fields)))
            if begins:
                raw.recv(65536)
            wait_until(lambda: running(process) == 1, SOON)
            if half:
                raw.shutdown(socket.SHUT_RDWR)

        wait_until(lambda: running(process) == 0, SOON)
        assert [line["event"] for line in process.journal()] == ["starting", "ready"]


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /v1/models HTTP/1.1\r\nHost: h\r\n", request(a_chat("x"))[:-5]],
    ids=["nothing", "head", "body"],
)
def test_a_side_that_is_closed_before_a_request_is_whole_closes_the_connection(tmp_path: Path, sent: bytes) -> None:
    """There is nothing to answer."""
    with a_process(tmp_path) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)

            assert rest(raw) == b""
        assert process.probe("/readyz") == 200


@pytest.mark.parametrize("line", [b"X-Much: " + b"x" * 50 + b"\r\n", b"x" * 60], ids=["many", "one"])
def test_a_head_that_never_ends_is_not_kept(tmp_path: Path, line: bytes) -> None:
    """It needs no key, so it must not take memory; nothing of it is logged."""
    part, sent = line * 1000, 0
    with a_process(tmp_path) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(b"GET /v1/models HTTP/1.1\r\nX-Much: ")
            with contextlib.suppress(ConnectionError):
                while sent < 64 * 2**20:
                    sent += raw.send(part)

        assert sent < 64 * 2**20
        assert process.probe("/readyz") == 200
        assert [line["event"] for line in process.journal()] == ["starting", "ready"]


def test_an_old_client_that_closes_its_side_is_taken_for_gone(tmp_path: Path) -> None:
    """HTTP/1.0 knows nothing that could be said to it before its answer."""
    with a_process(tmp_path, token_seconds=3600.0) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(request(a_chat("one two"), "1.0"))
            wait_until(lambda: running(process) == 1, SOON)
            raw.shutdown(socket.SHUT_WR)

            assert rest(raw) == b""
        wait_until(lambda: running(process) == 0, SOON)
