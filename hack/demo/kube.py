"""kubectl and helm, pointed at one cluster: the only ways in which the demo touches it."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.cluster.processes import ending_with_us
from hack.demo.command import run
from hack.demo.errors import DemoError


@dataclass(frozen=True)
class Kube:
    """One cluster as seen by two programs; everything they print goes into `log`."""

    kubectl_path: str
    helm_path: str
    log: Path
    kubeconfig: Path | None = None
    context: str | None = None

    def kubectl_line(self, *arguments: str) -> list[str]:
        """The whole command line of a kubectl call."""
        where = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        return [self.kubectl_path, *where, *([f"--context={self.context}"] if self.context else []), *arguments]

    def helm_line(self, *arguments: str) -> list[str]:
        """The whole command line of a helm call."""
        where = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        return [self.helm_path, *where, *([f"--kube-context={self.context}"] if self.context else []), *arguments]

    def kubectl(
        self,
        *arguments: str,
        stdin: str | None = None,
        seconds: float = 120,
        accept: Sequence[int] = (0,),
    ) -> subprocess.CompletedProcess[bytes]:
        """Call kubectl; raises DemoError unless it ends with an accepted status."""
        return run(self.kubectl_line(*arguments), self.log, stdin=stdin, seconds=seconds, accept=accept)

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        """Call helm and return what it printed."""
        return run(self.helm_line(*arguments), self.log, stdin=stdin, seconds=seconds).stdout.decode()

    def text(self, *arguments: str) -> str:
        """What kubectl prints."""
        return self.kubectl(*arguments).stdout.decode()

    def objects(self, kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind in a namespace, those with a label selector if one is given."""
        chosen = [f"--selector={selector}"] if selector else []
        found: list[dict[str, Any]] = json.loads(
            self.text("get", kind, f"--namespace={namespace}", "--output=json", *chosen)
        )["items"]
        return found

    def object(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        """One object, or None when it is not there."""
        text = self.text("get", kind, name, f"--namespace={namespace}", "--ignore-not-found", "--output=json")
        living: dict[str, Any] | None = json.loads(text) if text.strip() else None
        return living

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Apply objects given as data; JSON is YAML too."""
        self.kubectl(
            "apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        )

    def delete(self, kind: str, name: str, namespace: str, seconds: float = 120) -> None:
        """Delete an object if it is there, and wait until it is gone."""
        self.kubectl("delete", kind, name, f"--namespace={namespace}", "--ignore-not-found", seconds=seconds)

    @contextmanager
    def forwarded(self, target: str, namespace: str, port: int, local: int) -> Iterator[str]:
        """A port-forward to a Service or pod for as long as the block runs, or we do; yields the base URL."""
        line = ending_with_us(self.kubectl_line("port-forward", f"--namespace={namespace}", target, f"{local}:{port}"))
        with self.log.open("ab") as book, subprocess.Popen(line, stdout=book, stderr=book) as process:
            try:
                await_listener(process, local)
                yield f"http://localhost:{local}"
            finally:
                process.terminate()


def await_listener(process: subprocess.Popen[bytes], port: int, seconds: float = 20) -> None:
    """Return when something accepts connections on a local port; raises DemoError when the process ends first."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise DemoError(
        f"`kubectl port-forward` does not listen on port {port}; see whether another program holds it (`ss -ltnp`)."
    )


def free_port() -> int:
    """A local port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
