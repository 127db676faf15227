"""The demo's QwenModel: applied as a user applies it, waited for as a user waits, read as a user reads."""

import base64
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hack.cluster.steps import Running
from hack.demo.errors import DemoError
from hack.demo.kube import Kube


@dataclass(frozen=True)
class Example:
    """What the demo must know of an example: its names and where its weights are."""

    path: Path
    name: str
    namespace: str
    claim: str
    folder: str


PATIENCE = 90.0
"""Seconds for which a model may be stuck, by its own condition, before waiting for it makes no sense."""


def example(path: Path, namespace: str = "default") -> Example:
    """Read an example; raises DemoError when its weights are not on a claim."""
    manifest = yaml.safe_load(path.read_text())
    scheme, _, rest = manifest["spec"]["model"]["uri"].partition("://")
    claim, _, folder = rest.partition("/")
    if scheme != "pvc" or not folder:
        raise DemoError(
            f"{path.name} takes its weights from {scheme}://; for the demo write spec.model.uri as pvc://claim/folder."
        )
    metadata = manifest["metadata"]
    return Example(path, metadata["name"], metadata.get("namespace", namespace), claim, folder)


def condition(model: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    """One condition of a model's status, empty while there is none."""
    conditions = (model or {}).get("status", {}).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == kind), {})


def is_ready(model: dict[str, Any] | None) -> bool:
    """Whether the status says so, and speaks of the spec as it is now."""
    ready = condition(model, "Ready")
    generation = (model or {}).get("metadata", {}).get("generation")
    return ready.get("status") == "True" and ready.get("observedGeneration", generation) == generation


def await_ready(kube: Kube, name: str, namespace: str, now: Running, seconds: float = 600) -> None:
    """`kubectl wait`, with the condition's own words shown meanwhile; raises DemoError with them at the end."""
    line = kube.kubectl_line(
        "wait", "--for=condition=Ready", f"qwenmodel/{name}", f"--namespace={namespace}", f"--timeout={seconds:.0f}s"
    )
    words, moving = "no status yet", time.monotonic()
    with kube.log.open("ab") as book, subprocess.Popen(line, stdout=book, stderr=book) as process:
        try:
            while process.poll() is None and time.monotonic() - moving < PATIENCE:
                model = kube.object("qwenmodel", name, namespace)
                words = condition(model, "Ready").get("message") or words
                now.detail(words)
                if condition(model, "Progressing").get("status") != "False":
                    moving = time.monotonic()
                time.sleep(1)
        finally:
            process.terminate()
    if process.returncode != 0:
        raise DemoError(f"QwenModel {namespace}/{name} does not become Ready: {words}")


def await_image(kube: Kube, name: str, namespace: str, image: str, seconds: float = 60) -> None:
    """Wait until the operator has taken up an image: after an upgrade, Ready may still speak of the one before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        deployment = kube.object("deployment", name, namespace)
        if deployment and deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image:
            return
        time.sleep(0.5)
    words = condition(kube.object("qwenmodel", name, namespace), "Ready").get("message", "it has no status")
    raise DemoError(f"The operator has not deployed QwenModel {namespace}/{name} with {image}: {words}")


def key(kube: Kube, name: str, namespace: str, entry: str = "default") -> str:
    """A key out of the model's Secret, read with the rights of whoever runs this."""
    secret = kube.object("secret", f"{name}-api-keys", namespace)
    if secret is None or entry not in secret.get("data", {}):
        raise DemoError(f"Secret {name}-api-keys has no entry {entry}; see `kubectl describe qwenmodel {name}`.")
    return base64.b64decode(secret["data"][entry]).decode()
