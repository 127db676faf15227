"""`kubectl qwen proxy` and `chat`, to a real server behind an emulated portforward."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from qwen_operator.core import kinds, names
from qwen_operator.core.snapshot import Manifest
from tests.operator_api.plugin import kubectl_qwen, start
from tests.operator_api.running import a_model
from tests.operator_api.server import Server
from tests.server_unit.builders import KEY
from tests.server_unit.process import Process, a_process

YES, NO, USAGE, UNKNOWN, NOT_THERE = range(5)
QUESTION = "What is the capital of France?"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Process]:
    """A server that says what it hears."""
    folder = tmp_path / "replica"
    folder.mkdir()
    with a_process(folder) as process:
        yield process.ready()


def a_pod(name: str, *, ready: bool = True) -> Manifest:
    """A pod of the model that runs."""
    container = {"name": "server", "state": {"running": {"startedAt": "2026-11-25T00:00:00Z"}}, "started": ready}
    condition = {"type": "Ready", "status": str(ready)}
    status = {"phase": "Running", "conditions": [condition], "containerStatuses": [container]}
    return {"metadata": {"name": name, "labels": names.labels("qwen3")}, "spec": {}, "status": status}


async def with_replica(server: Server, port: int, name: str = "qwen3-1", *, ready: bool = True) -> None:
    """A pod that leads to a port."""
    assert server.emulator
    server.emulator.ports[name] = port
    server.emulator.objects.create("pods", server.namespace, a_pod(name, ready=ready))


def port_of(process: Process) -> int:
    """The port of a server's API."""
    return int(process.url.rpartition(":")[2])


@asynccontextmanager
async def proxied(server: Server) -> AsyncIterator[str]:
    """The base URL that the proxy prints."""
    process = await start(server, "proxy", "qwen3", "--port", "0")
    assert process.stdout
    try:
        async with asyncio.timeout(60):
            yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.communicate()


async def ask(url: str) -> httpx.Response:
    """A chat, as any client would ask."""
    body = {"model": "qwen3", "messages": [{"role": "user", "content": QUESTION}]}
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.post(f"{url}/chat/completions", json=body, headers={"Authorization": f"Bearer {KEY}"})


async def test_a_model_answers_on_the_printed_address(emulated: Server, replica: Process) -> None:
    """Through the API server, with one connection."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica))

    async with proxied(emulated) as url:
        answer = await ask(url)

    assert url.startswith("http://localhost:")
    assert answer.json()["choices"][0]["message"]["content"] == QUESTION


async def test_a_proxy_lives_through_the_end_of_a_pod(emulated: Server, replica: Process) -> None:
    """Gone: 503 with the remedy, as clients wait for. Back under another name: an answer, and nothing was typed."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica), "qwen3-1")

    async with proxied(emulated) as url:
        first = await ask(url)
        await emulated.delete(kinds.POD, "qwen3-1")
        between = await ask(url)
        await with_replica(emulated, port_of(replica), "qwen3-2")
        last = await ask(url)

    assert [each.status_code for each in (first, between, last)] == [200, 503, 200]
    assert between.headers["Retry-After"] == "5"
    assert f"kubectl qwen why qwen3 -n {emulated.namespace}" in between.json()["error"]["message"]


async def test_a_pod_that_does_not_listen_yet_is_answered_for(emulated: Server) -> None:
    """A container that runs and whose server is not up: the kubelet says that the connection is refused."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    assert emulated.emulator
    emulated.emulator.objects.create("pods", emulated.namespace, a_pod("qwen3-1", ready=False))

    async with proxied(emulated) as url:
        answer = await ask(url)

    assert answer.status_code == 503
    assert "Pod qwen3-1 of qwen3 does not answer." in answer.json()["error"]["message"]


async def test_a_ready_pod_is_taken_before_one_that_loads(emulated: Server, replica: Process) -> None:
    """During a rollout the old one answers."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    assert emulated.emulator
    emulated.emulator.objects.create("pods", emulated.namespace, a_pod("qwen3-new", ready=False))
    await with_replica(emulated, port_of(replica), "qwen3-old")

    async with proxied(emulated) as url:
        answer = await ask(url)

    assert answer.status_code == 200


async def test_a_missing_right_to_forward_ports_is_said_to_the_client(emulated: Server, replica: Process) -> None:
    """The proxy goes on: rights come and go."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica))
    assert emulated.emulator
    emulated.emulator.faults.refuse["get", "pods/portforward"] = 403

    async with proxied(emulated) as url:
        answer = await ask(url)

    assert answer.status_code == 503
    assert "pods/portforward" in answer.json()["error"]["message"]


async def test_a_port_that_is_taken_is_one_sentence(emulated: Server) -> None:
    """It names the flag that takes another."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = await kubectl_qwen(emulated, "proxy", "qwen3", "--port", str(port))

    assert ended.status == USAGE
    assert ended.err.startswith(f"kubectl qwen: Port {port} of this machine can't be used")
    assert "--port" in ended.err


async def with_secret(server: Server, value: str) -> None:
    """The Secret of keys, with one entry."""
    data = {"alice": base64.b64encode(value.encode()).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "qwen3-api-keys"}, "data": data}
    await server.create(kinds.SECRET, secret)


async def test_a_chat_prints_the_answer_with_the_secrets_key(emulated: Server, replica: Process) -> None:
    """A question on standard input; the key is shown nowhere."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica))
    await with_secret(emulated, KEY)

    ended = await kubectl_qwen(emulated, "chat", "qwen3", stdin=QUESTION)

    assert (ended.status, ended.out.strip()) == (YES, QUESTION), ended.err
    assert KEY not in ended.err


async def test_a_chat_takes_the_key_of_the_environment_where_the_secret_may_not_be_read(
    emulated: Server, replica: Process
) -> None:
    """And says what to set without one."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica))
    assert emulated.emulator
    emulated.emulator.faults.refuse["get", "secrets"] = 403

    without = await kubectl_qwen(emulated, "chat", "qwen3", stdin=QUESTION)
    given = await kubectl_qwen(emulated, "chat", "qwen3", stdin=QUESTION, QWEN_API_KEY=KEY)

    assert (without.status, given.status) == (USAGE, YES), given.err
    assert "Set QWEN_API_KEY" in without.err
    assert given.out.strip() == QUESTION


async def test_a_wrong_key_is_the_servers_own_sentence(emulated: Server, replica: Process) -> None:
    """Without the key in it."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica))
    await with_secret(emulated, "sk-not-the-right-one")

    ended = await kubectl_qwen(emulated, "chat", "qwen3", stdin=QUESTION)

    assert ended.status == UNKNOWN
    assert ended.err.startswith("kubectl qwen: The model does not answer: ")
    assert "sk-not-the-right-one" not in ended.out + ended.err
