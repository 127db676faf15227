"""`kubectl qwen` as a user types it, with the built wheel's plug-in on the PATH beside kubectl.

What a command prints may hold a key: it goes to the test that asked, and into no log.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hack.cluster.processes import ending_with_us
from tests.cluster.stage import Stage

BIN = Path(sys.executable).parent
READING = ("get", "describe", "logs", "edit")
"""Verbs of kubectl that change nothing; the editor of these tests leaves every text as it is."""


def environment(stage: Stage) -> dict[str, str]:
    """Variables of a user's shell, with an editor that ends at once."""
    kubectl = Path(stage.kube.kubectl_path).parent
    where = {"KUBECONFIG": str(stage.kube.kubeconfig)} if stage.kube.kubeconfig else {}
    return {**os.environ, **where, "PATH": f"{BIN}:{kubectl}:{os.environ['PATH']}", "EDITOR": "true", "COLUMNS": "120"}


def line(stage: Stage, *arguments: str) -> list[str]:
    """The command line of a verb."""
    context = ("--context", stage.kube.context) if stage.kube.context else ()
    return [str(BIN / "kubectl-qwen"), *arguments, "-n", stage.namespace, *context]


def kubectl_qwen(stage: Stage, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """A whole run, whatever its exit status."""
    return subprocess.run(
        line(stage, *arguments), env=environment(stage), capture_output=True, text=True, timeout=seconds, check=False
    )


def why(stage: Stage, name: str) -> dict[str, Any]:
    """What `kubectl qwen why` tells about a model."""
    done = kubectl_qwen(stage, "why", name, "--output=json")
    assert done.returncode in (0, 1), done.stderr
    account: dict[str, Any] = json.loads(done.stdout)
    return account


def typed(stage: Stage, command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """A command as it was printed, in a shell."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env=environment(stage),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def only_looks(command: str) -> bool:
    """Whether a command that `why` prints ends by itself and changes nothing."""
    return command.split()[1] in READING


@contextmanager
def proxied(stage: Stage, name: str) -> Iterator[str]:
    """`kubectl qwen proxy` for as long as the block runs; yields the base URL that it prints."""
    proxy = ending_with_us(line(stage, "proxy", name, "--port", "0"))
    with subprocess.Popen(proxy, env=environment(stage), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
