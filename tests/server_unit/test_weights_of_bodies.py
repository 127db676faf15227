"""What a body may weigh, asked of a real process: the limits hold, and nobody else notices that they are tried."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from qwen_server.limits import Limits
from qwen_server.wire.chat import MAX_MESSAGES
from tests.server_unit.builders import AUTHORIZED, KEY, a_chat
from tests.server_unit.process import Process, a_process

CHAT = "/v1/chat/completions"
MESSAGE = {"role": "user", "content": "x"}
DEPTH = 200
"""Arrays that may stand within each other, below the top; the parser's own limit."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One for this module."""
    with a_process(tmp_path_factory.mktemp("process")) as one:
        yield one.ready()


def status(process: Process, body: object) -> tuple[int, str]:
    """How a body is answered."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    answer = httpx.post(process.url + CHAT, content=content, headers=headers, timeout=60)
    return answer.status_code, answer.json().get("error", {}).get("message", "")


def test_the_largest_body_is_taken_and_one_byte_more_is_not(process: Process) -> None:
    """8 MiB."""
    most = Limits().body_bytes
    body = json.dumps(a_chat("x")).encode()
    largest = body[:-1] + b" " * (most - len(body)) + b"}"

    assert status(process, largest) == (200, "")
    assert status(process, largest + b" ") == (413, f"The body is larger than {most} bytes.")


def test_the_deepest_body_is_taken_and_a_deeper_one_is_not(process: Process) -> None:
    """Wherever the depth is."""
    deep, deeper = (
        json.dumps(a_chat(unknown=0)).replace("0", "[" * depth + "]" * depth) for depth in (DEPTH, DEPTH + 1)
    )

    assert status(process, deep.encode()) == (200, "")
    assert status(process, deeper.encode())[0] == 400


def test_the_most_messages_are_taken_and_one_more_is_not(process: Process) -> None:
    """4,096, as the promise says."""
    assert MAX_MESSAGES == 4096
    assert status(process, a_chat(messages=[MESSAGE] * 4096)) == (200, "")
    assert status(process, a_chat(messages=[MESSAGE] * 4097)) == (400, "messages must have at most 4096 items.")


def test_twenty_megabytes_do_not_stop_the_probes(process: Process) -> None:
    """Announced or not, they are refused, and `/livez` is answered at every moment of it."""
    piece, alive = b"x" * (1 << 20), []

    def pieces() -> Iterator[bytes]:
        yield b'{"model": "'
        for _ in range(20):
            alive.append(process.probe("/livez"))
            yield piece

    def refused(headers: dict[str, str]) -> bool:
        sent = AUTHORIZED | {"Content-Type": "application/json"} | headers
        try:
            return httpx.post(process.url + CHAT, content=pieces(), headers=sent, timeout=60).status_code == 413
        except (httpx.WriteError, httpx.RemoteProtocolError):  # closed while more was to be sent
            return True

    assert refused({})
    assert refused({"Content-Length": str(20 << 20)})
    assert alive.count(200) == len(alive) > 8
    assert process.probe("/readyz") == 200


def test_headers_may_have_ten_thousand_bytes(process: Process) -> None:
    """Names and values together."""
    answers = [
        httpx.get(process.url + "/health", headers=AUTHORIZED | {"X-Large": "x" * size}).status_code
        for size in (9_000, 10_000)
    ]

    assert answers == [200, 431]


def test_a_heavy_body_is_read_while_a_light_request_is_answered(process: Process) -> None:
    """The connection that sends it, byte by byte, holds up nobody."""
    body = json.dumps(a_chat(messages=[MESSAGE] * 4096)).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", int(process.url.rsplit(":", 1)[1])), timeout=60) as slow:
        slow.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body[:-1])
        between = status(process, a_chat("x"))
        slow.sendall(body[-1:])
        answer = slow.recv(65536)

    assert (between, answer[:13]) == ((200, ""), b"HTTP/1.1 200 ")
