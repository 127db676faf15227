"""Puts a folder of files onto a PersistentVolumeClaim, on any cluster: through `kubectl exec` into a short-lived pod.

No access to the node and no image of its own is needed. A claim that already holds the content, known by its digest,
is left alone.
"""

import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hack.cluster.steps import Running
from hack.demo import receive
from hack.demo.command import last_words
from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.pod import PART_OF, Manifest, restricted, standing

RECEIVER = Path(receive.__file__)
ABSENT = 3  # how receive.py says that the content is not there yet


@dataclass(frozen=True)
class Destination:
    """Where files go: a folder below the root of a claim."""

    namespace: str
    claim: str
    folder: str
    size: str = "2Gi"

    @property
    def pod(self) -> str:
        """The name of the pod that receives them."""
        return f"{self.claim}-receiver"


def claim(to: Destination) -> Manifest:
    """The claim itself, of the cluster's default StorageClass."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": to.claim, "namespace": to.namespace, "labels": PART_OF},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": to.size}}},
    }


def receiver(to: Destination, image: str) -> Manifest:
    """The pod that holds the claim open for ten minutes at most."""
    container = {
        "name": "receiver",
        "image": image,
        "command": ["python3", "-c", "import time; time.sleep(600)"],
        "volumeMounts": [{"name": "claim", "mountPath": "/claim"}],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    }
    volume = {"name": "claim", "persistentVolumeClaim": {"claimName": to.claim}}
    return restricted(to.pod, to.namespace, container, volumes=(volume,))


class Counted:
    """A stream that tells how many bytes went into it."""

    def __init__(self, stream: IO[bytes], tell: Callable[[int], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._sent = 0

    def write(self, data: bytes) -> int:
        """Pass the bytes on."""
        self._sent += len(data)
        self._tell(self._sent)
        return self._stream.write(data)


def public(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Readable by any uid, owned by nobody in particular."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def send(line: list[str], folder: Path, now: Running) -> None:
    """Stream a folder into a receiving command; raises DemoError with its last words."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdin is None or process.stderr is None:
            raise RuntimeError("the pipes were asked for")
        try:
            stream = Counted(
                process.stdin,
                lambda sent: now.detail(f"{sent / max(total, 1):.0%} of {total >> 20} MiB onto the claim"),
            )
            with tarfile.open(fileobj=stream, mode="w|") as archive:  # type: ignore[call-overload]  # only write() is used
                for path in sorted(folder.iterdir()):
                    archive.add(path, arcname=path.name, filter=public)
            process.stdin.close()
        except BrokenPipeError:
            pass  # the other side ended; its status and last words follow
        words = process.stderr.read().decode(errors="replace")
    if process.returncode != 0:
        raise DemoError(
            f"The files could not be copied onto the claim: {last_words(words)}. Start again; nothing is half-written."
        )


def fill(kube: Kube, to: Destination, source: Path, image: str, now: Running) -> str:
    """Make the claim if need be and bring the folder onto it; returns what was done in a few words."""
    wanted, where = receive.digest(source), f"--namespace={to.namespace}"
    kube.apply(claim(to))
    now.detail("waiting for the pod that receives the files")
    with standing(kube, receiver(to, image)):
        kube.kubectl("wait", "--for=condition=Ready", f"pod/{to.pod}", where, "--timeout=120s", seconds=130)
        inside = ["exec", "--stdin", where, to.pod, "--", "python3", "-c", RECEIVER.read_text()]
        arguments = [f"/claim/{to.folder}", wanted]
        if kube.kubectl(*inside, *arguments, "check", accept=(0, ABSENT)).returncode == 0:
            return f"already on claim {to.claim}"
        now.detail(f"copying {source.name} onto claim {to.claim}")
        send(kube.kubectl_line(*inside, *arguments), source, now)
    return f"{source.name} on claim {to.claim}, checked by SHA-256"
