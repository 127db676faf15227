"""`kubectl qwen bundle`, `config` and completion on both API servers."""

import asyncio
import base64
import os
import sys
import tarfile
from pathlib import Path

import yaml

from qwen_operator.core import kinds, names
from tests.operator_api.plugin import environment, kubectl_qwen
from tests.operator_api.running import a_claim, a_model, condition, found, running
from tests.operator_api.server import Server

YES, NO, USAGE, UNKNOWN, NOT_THERE = range(5)
CANARY = "sk-canary-of-the-bundle-0123456789"


def contents(path: Path) -> dict[str, str]:
    """Files of an archive without their common folder."""
    with tarfile.open(path) as archive:
        return {
            member.name.partition("/")[2]: (file.read().decode() if (file := archive.extractfile(member)) else "")
            for member in archive
        }


async def served(server: Server) -> None:
    """A model with its children, its Secret, and keys where people put them by mistake."""
    environment_of_it = [{"name": "HF_TOKEN", "value": "not-shaped-like-a-key"}, {"name": "PLAIN", "value": CANARY}]
    async with running(server):
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model(server={"env": environment_of_it}))
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: bool(condition(model, "Ready")))
        await found(server, kinds.DEPLOYMENT, "qwen3")


async def test_a_bundle_holds_what_a_helper_needs_and_no_secret(server: Server, tmp_path: Path) -> None:
    """The list of contents is printed, and is that of the archive."""
    await served(server)
    data = {"default": base64.b64encode(CANARY.encode()).decode()}
    await server.merge(kinds.SECRET, "qwen3-api-keys", {"data": data})
    path = tmp_path / "bundle.tar.gz"

    ended = await kubectl_qwen(server, "bundle", "qwen3", "--file", str(path), "-o", "json")

    files = contents(path)
    whole = "".join(files.values())
    assert ended.status == YES, ended.err
    assert ended.document["contents"] == list(files)
    assert {"qwenmodel.yaml", "why.yaml", "deployment.yaml", "service.yaml", "claim.yaml"} <= files.keys()
    assert yaml.safe_load(files["qwenmodel.yaml"])["spec"]["model"]["uri"] == "pvc://weights/qwen3"
    assert CANARY not in whole
    assert data["default"] not in whole
    assert "not-shaped-like-a-key" not in whole


async def test_logs_are_in_it_and_scrubbed(emulated: Server, tmp_path: Path) -> None:
    """Line by line as they were, but for what looks like a key."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    status = {"containerStatuses": [{"name": "server", "restartCount": 0}]}
    pod = {"metadata": {"name": "qwen3-1", "labels": names.labels("qwen3")}, "spec": {}, "status": status}
    assert emulated.emulator
    emulated.emulator.objects.create("pods", emulated.namespace, pod)
    emulated.emulator.logs["qwen3-1"] = f"loading\n  with Authorization: Bearer abc {CANARY}\ndone\n"
    path = tmp_path / "bundle.tar.gz"

    ended = await kubectl_qwen(emulated, "bundle", "qwen3", "--file", str(path))

    log = contents(path)["logs/qwen3-1.server.log"]
    assert ended.status == YES, ended.err
    assert log == "loading\n  with Authorization: Bearer [removed] [removed]\ndone\n"


async def test_a_bundle_never_asks_for_a_secret(emulated: Server, tmp_path: Path) -> None:
    """So that nobody needs the right, and nothing can leak."""
    await served(emulated)
    assert emulated.emulator
    emulated.emulator.traffic.requests.clear()

    await kubectl_qwen(emulated, "bundle", "qwen3", "--file", str(tmp_path / "b.tar.gz"))

    assert not [what for what in emulated.emulator.traffic.requests if what[1] == "secrets"]


async def test_what_may_not_be_seen_is_named_in_it_and_a_file_that_exists_is_kept(
    emulated: Server, tmp_path: Path
) -> None:
    """Half a bundle is better than none, if it says so."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    assert emulated.emulator
    emulated.emulator.faults.refuse["list", "pods"] = 403
    path = tmp_path / "bundle.tar.gz"

    first = await kubectl_qwen(emulated, "bundle", "qwen3", "--file", str(path))
    again = await kubectl_qwen(emulated, "bundle", "qwen3", "--file", str(path))

    assert (first.status, again.status) == (YES, USAGE)
    assert "You may not list pods" in contents(path)["not-seen.txt"]
    assert "--file names another" in again.err


async def test_a_configuration_names_the_model_and_no_key(server: Server) -> None:
    """The shell fetches the key when it is needed."""
    await server.create(kinds.QWEN_MODEL, a_model(model={"uri": "pvc://weights/qwen3", "servedName": "coder"}))

    crush = await kubectl_qwen(server, "config", "qwen3", "--for", "crush")
    env = await kubectl_qwen(server, "config", "qwen3", "--for", "env", "--key", "alice")

    assert crush.document["providers"]["vllm"]["models"][0]["id"] == "coder"
    assert env.out.splitlines() == [
        "export OPENAI_BASE_URL=http://localhost:8000/v1",
        f'export OPENAI_API_KEY="$(kubectl get secret qwen3-api-keys -n {server.namespace} '
        """-o go-template='{{index .data "alice" | base64decode}}')\"""",
    ]


async def test_names_of_models_are_completed_from_the_cluster(server: Server) -> None:
    """In the namespace that was typed."""
    for name in ("qwen3", "qwen3-small", "other"):
        await server.create(kinds.QWEN_MODEL, a_model(name))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "qwen_operator.cli.completion", "status", "-n", server.namespace, "qw"),
        env=environment(server) | {"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()

    assert out.decode().split() == ["qwen3", "qwen3-small", ":4"]
