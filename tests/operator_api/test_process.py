"""The operator as a process, kopf and signals included, against the emulator."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qwen_operator.core import kinds
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.running import a_claim, a_model, condition, found, generated_key
from tests.operator_api.server import Server


class Process:
    """A running `qwen-operator run`, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def end(self, number: signal.Signals | None = None, seconds: float = 30) -> int:
        """Send a signal, if one is given, and wait for the exit status."""
        if number is not None and self._process.returncode is None:
            self._process.send_signal(number)
        _, said = await asyncio.wait_for(self._process.communicate(), seconds)
        self.said += said.decode()
        return int(self._process.returncode or 0)

    def send(self, number: signal.Signals) -> None:
        """Send a signal and go on."""
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has exited."""
        return self._process.returncode is not None

    async def resident(self) -> float:
        """Resident memory in MB."""
        text = await asyncio.to_thread(Path(f"/proc/{self._process.pid}/statm").read_text)
        return int(text.split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


@pytest.fixture
def kubeconfig(tmp_path: Path, emulator: Emulator) -> Path:
    """A kubeconfig for the emulator."""
    cluster = {"name": "here", "cluster": {"server": emulator.url}}
    context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
    user = {"name": "me", "user": {"token": "a-token-that-must-not-be-seen"}}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "here"}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config | {"clusters": [cluster], "contexts": [context], "users": [user]}))
    return path


@asynccontextmanager
async def started(kubeconfig: Path, namespace: str, *more: str) -> AsyncIterator[Process]:
    """`qwen-operator run` in a process of its own, which is gone at the end."""
    arguments = ["run", f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "--metrics-port=0", *more]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qwen_operator", *arguments, stderr=asyncio.subprocess.PIPE
    )
    running = Process(process)
    try:
        yield running
    finally:
        if not running.ended:
            await running.end(signal.SIGKILL)


async def applied(server: Server, name: str = "qwen3") -> None:
    """Wait until a model's children are reported as asked."""
    await found(server, kinds.QWEN_MODEL, name, lambda m: condition(m, "Applied").get("status") == "True")


async def test_it_serves_with_a_namespaced_role_and_a_clean_stop_releases_the_lease(
    emulated: Server, emulator: Emulator, kubeconfig: Path
) -> None:
    """Neither namespaces nor definitions may be listed: it serves all the same, and SIGTERM ends it well."""
    emulator.faults.refuse |= {("*", "namespaces"): 403, ("*", "customresourcedefinitions"): 403}
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        await emulated.create(kinds.QWEN_MODEL, a_model("second"))
        await applied(emulated, "second")
        assert await process.end(signal.SIGTERM) == 0
    lease = await emulated.get(kinds.LEASE, "qwen-operator")
    assert lease["spec"]["holderIdentity"] == ""


async def test_a_second_signal_changes_nothing(emulated: Server, kubeconfig: Path) -> None:
    """Ctrl-C reaches a whole process group, and people press it twice."""
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        process.send(signal.SIGINT)
        process.send(signal.SIGTERM)
        assert await process.end(signal.SIGTERM) == 0
    assert "Traceback" not in process.said


async def test_a_deleted_model_is_forgotten(emulated: Server, emulator: Emulator, kubeconfig: Path) -> None:
    """Its children go with it, and none is made again."""
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        await emulated.delete(kinds.QWEN_MODEL, "qwen3")
        await emulated.create(kinds.QWEN_MODEL, a_model("second"))
        await applied(emulated, "second")
        await process.end(signal.SIGTERM)
    left = [m["metadata"]["name"] for m in emulator.objects.all("deployments", emulated.namespace)]
    assert left == ["second"]


async def test_killed_and_started_again_it_finds_nothing_to_write(
    emulated: Server, emulator: Emulator, kubeconfig: Path
) -> None:
    """Crash-only: the second process needs nothing that the first one had in memory."""
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        await process.end(signal.SIGKILL)
    emulator.objects.merge("leases", emulated.namespace, "qwen-operator", {"spec": {"holderIdentity": ""}})
    emulator.traffic.requests.clear()
    async with started(kubeconfig, emulated.namespace) as process:
        await emulated.create(kinds.QWEN_MODEL, a_model("second"))
        await applied(emulated, "second")
        await process.end(signal.SIGTERM)
    ours = emulator.traffic.writes() - 1  # the test created one model itself
    assert ours == 5, "the second model's four children and its status, and nothing for the first"


@pytest.mark.parametrize("logs", ["plain", "json"])
async def test_no_key_and_no_token_is_ever_said(
    emulated: Server, emulator: Emulator, kubeconfig: Path, logs: str
) -> None:
    """At DEBUG, with the Secret refused once: neither the generated key nor the token is in any line."""
    emulator.faults.refuse["create", "secrets"] = 422
    emulator.faults.times["create", "secrets"] = 1
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace, "--log-level=debug", f"--log-format={logs}") as process:
        await applied(emulated)
        await process.end(signal.SIGTERM)
    key = generated_key(emulator.objects.get("secrets", emulated.namespace, "qwen3-api-keys"))
    assert len(key) > 40
    assert "create Secret" in process.said
    assert key not in process.said
    assert "a-token-that-must-not-be-seen" not in process.said


async def test_without_an_api_server_it_ends_with_one_sentence(
    emulated: Server, emulator: Emulator, kubeconfig: Path
) -> None:
    """Nothing answers any more: the Lease is lost after ten seconds, and the process ends to be started anew."""
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        emulator.faults.hang_up = True
        emulator.hang_up_watches()
        assert await process.end() == 1
    assert "ended, to be started anew: LeaseLost" in process.said
    assert "Traceback" not in process.said


async def test_an_api_server_that_is_away_at_the_start_is_waited_for(
    emulated: Server, emulator: Emulator, kubeconfig: Path
) -> None:
    """It does not fall into a loop of restarts, and begins when the server is there."""
    emulator.faults.refuse["list", "qwenmodels"] = 503
    emulator.faults.times["list", "qwenmodels"] = 1
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        await process.end(signal.SIGTERM)
    assert "waiting for the API server" in process.said


async def test_a_missing_definition_is_one_sentence(emulated: Server, emulator: Emulator, kubeconfig: Path) -> None:
    """The remedy is in it."""
    emulator.faults.refuse["list", "qwenmodels"] = 404
    async with started(kubeconfig, emulated.namespace) as process:
        assert await process.end() == 2
    assert "Install the CustomResourceDefinition first" in process.said
    assert "Traceback" not in process.said


async def test_it_is_small(emulated: Server, kubeconfig: Path) -> None:
    """At most 70 MB here, with the kubeconfig's code that a pod never loads; a pod has 13 MB less."""
    await emulated.create(kinds.CLAIM, a_claim())
    await emulated.create(kinds.QWEN_MODEL, a_model())
    async with started(kubeconfig, emulated.namespace) as process:
        await applied(emulated)
        assert await process.resident() < 70
        await process.end(signal.SIGTERM)
