"""Ends the operator as a crash would: without a signal that it could answer."""

import os
import signal
from pathlib import Path

from tests.cluster.stage import Stage, eventually


def process(namespace: str) -> int | None:
    """The operator's process on this machine, known by its own namespace's flag; None if it runs elsewhere."""
    wanted = f"--namespace={namespace}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"run" in words and wanted in words and any(word.endswith(b"qwen-operator") for word in words):
            return int(folder.name)
    return None


def restarts(stage: Stage) -> int:
    """How often the operator's container was started again, over all its pods."""
    selector = f"app.kubernetes.io/instance={stage.release.name}"
    pods = stage.kube.objects("pods", stage.release.namespace, selector)
    return sum(status["restartCount"] for pod in pods for status in pod.get("status", {}).get("containerStatuses", []))


def kill(stage: Stage) -> None:
    """kill -9, and return when the kubelet has started it again; on other machines the pod is removed at once."""
    before = restarts(stage)
    if number := process(stage.release.namespace):
        os.kill(number, signal.SIGKILL)
        eventually(lambda: restarts(stage) > before, "the operator's container is started again", 60)
        return
    selector = f"--selector=app.kubernetes.io/instance={stage.release.name}"
    stage.kube.kubectl(
        "delete", "pod", selector, f"--namespace={stage.release.namespace}", "--force", "--grace-period=0"
    )
