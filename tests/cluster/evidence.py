"""What a failed test leaves behind for the person who reads it: logs, events and objects, in .local/e2e/<test>/."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.machine import LOCAL
from tests.cluster.stage import Stage

FOLDER = LOCAL / "e2e"


def folder(test: str) -> Path:
    """Where the evidence of a test goes."""
    return FOLDER / re.sub(r"[^A-Za-z0-9_.-]+", "-", test).strip("-")


def collected() -> list[Path]:
    """The folders of tests that failed."""
    return [path for path in FOLDER.glob("*") if path.is_dir()]


def forget() -> None:
    """Remove what earlier runs left, so that whatever lies there is of this one."""
    for path in collected():
        shutil.rmtree(path)


def commands(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Files to write, and the kubectl call that fills each."""
    namespace = f"--namespace={stage.namespace}"
    operator = (f"--namespace={stage.release.namespace}", f"deployment/{stage.release.name}", "--tail=-1")
    return {
        "operator.log": ("logs", *operator),
        "operator-before.log": ("logs", *operator, "--previous"),
        "events.txt": ("get", "events", namespace, "--sort-by=.lastTimestamp"),
        "models.yaml": ("get", "qwenmodels", namespace, "--output=yaml"),
        "objects.yaml": ("get", "deployments,services,pods,persistentvolumeclaims", namespace, "--output=yaml"),
        "pods.txt": ("describe", "pods", namespace),
    }


def collect(stage: Stage, test: str) -> Path:
    """Write everything that can still be read; what cannot says why in its place."""
    place = folder(test)
    place.mkdir(parents=True, exist_ok=True)
    for name, arguments in commands(stage).items():
        (place / name).write_text(words(stage.kube, *arguments))
    for pod in pods(stage):
        name = pod["metadata"]["name"]
        where = (name, f"--namespace={stage.namespace}", "--all-containers", "--tail=-1")
        (place / f"pod-{name}.log").write_text(words(stage.kube, "logs", *where))
        (place / f"pod-{name}-before.log").write_text(words(stage.kube, "logs", *where, "--previous"))
        (place / f"pod-{name}.json").write_text(json.dumps(pod.get("status", {}), indent=1))
    return place


def pods(stage: Stage) -> list[dict[str, Any]]:
    """The pods, or none where the cluster does not answer; pods.txt says why then."""
    try:
        return stage.kube.objects("pods", stage.namespace)
    except DemoError:
        return []


def words(kube: Kube, *arguments: str) -> str:
    """What kubectl says, or why it says nothing."""
    try:
        return kube.text(*arguments)
    except DemoError as error:
        return f"{error}\n"
