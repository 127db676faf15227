"""Row by row, where life, logs and resources of vLLM 0.32's own API server fall short: here it is right.

Elsewhere: clients that leave or close one side in `test_leaving` and `test_interruptions`; SIGTERM in `test_process`
and `test_end`; a hung or dead engine in `test_life`; what takes vLLM's processes to show in `tests/server_engine`.
"""

import socket
from pathlib import Path

import httpx

from tests.server_unit.builders import AUTHORIZED, KEY, a_chat, a_server, events, said
from tests.server_unit.process import a_process
from tests.server_unit.test_leaving import connected, final, request, rest
from tests.server_unit.test_where_others_fall_short import CHAT, envelope


async def test_a_request_leaves_no_line_in_the_log() -> None:
    """Neither address, nor path, nor the model that was asked for."""
    server = a_server()
    async with server.client() as client:
        await client.post(CHAT, json=a_chat())
        await client.post(CHAT, json=a_chat() | {"model": "gpt-4"})
        await client.get("/none?secret=1")

    assert server.journal() == []


async def test_a_body_of_twenty_megabytes_is_refused() -> None:
    """vLLM reads and parses all of it."""
    async with a_server().client() as client:
        answer = await client.post(CHAT, json=a_chat("x" * 20_000_000))

    assert answer.status_code == 413
    assert envelope(answer)


def test_no_key_is_in_a_command_line_or_an_environment(tmp_path: Path) -> None:
    """Where `ps` and the pod's spec would show it; the files alone have it."""
    with a_process(tmp_path) as process:
        process.ready()
        assert httpx.get(process.url + "/health", headers=AUTHORIZED).status_code == 200

        seen = [Path(f"/proc/{process.running().pid}/{what}").read_bytes() for what in ("cmdline", "environ")]
        assert all(seen)
        assert [what for what in seen if KEY.encode() in what] == []


def test_a_reader_that_stops_holds_nobody_up_and_loses_nothing(tmp_path: Path) -> None:
    """Its stream is larger than what the sockets hold. That no token is fetched meanwhile, `test_streams` shows."""
    text = " ".join(["word"] * 60_000)
    with a_process(tmp_path, reply=text) as process:
        process.ready()
        with connected(process) as raw:
            raw.sendall(request(a_chat(stream=True)))
            raw.recv(1, socket.MSG_PEEK)
            others = [httpx.post(process.url + CHAT, json=a_chat(max_tokens=3), headers=AUTHORIZED) for _ in range(3)]
            raw.shutdown(socket.SHUT_WR)
            _, body = final(rest(raw))

    assert [answer.json()["choices"][0]["message"]["content"] for answer in others] == ["word word word"] * 3
    found = events(body)
    assert (said(found), found[-1]) == (text, "[DONE]")
