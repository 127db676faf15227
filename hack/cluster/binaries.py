"""The one Go program that is all of Kubernetes, built once for each content of its sources and kept in a cache.

It must never leave a half-built file under its final name, and never touch Go's own caches.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hack.cluster.errors import ClusterError
from hack.cluster.processes import ending_with_us
from hack.cluster.steps import Running

SOURCES: Final = Path(__file__).with_name("go")
COMPONENTS: Final = (
    "coredns",
    "etcd",
    "helm",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
"""The names that the program answers to; hack/cluster/go/main.go holds the same list, and a test compares them."""


@dataclass(frozen=True)
class Binaries:
    """The folder with the built programs."""

    folder: Path

    @property
    def kubernetes(self) -> Path:
        """Every component; the name it is called by chooses."""
        return self.folder / "kubernetes"

    @property
    def pause(self) -> Path:
        """The program of the sandbox image, statically linked."""
        return self.folder / "pause"

    @property
    def log(self) -> Path:
        """What Go said."""
        return self.folder.with_suffix(".log")

    @property
    def built(self) -> bool:
        """Whether the folder is there; it appears under its name only when complete."""
        return self.folder.is_dir()

    def link(self, folder: Path) -> None:
        """Make `folder` hold a link of each component's name; links that are right stay."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in COMPONENTS:
            link = folder / name
            if not link.is_symlink() or link.readlink() != self.kubernetes:
                link.unlink(missing_ok=True)
                link.symlink_to(self.kubernetes)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where this project keeps what is dear to make again and belongs to the user, not to a checkout."""
    return Path(environment.get("XDG_CACHE_HOME") or Path(environment["HOME"], ".cache"), "qwen-operator")


def cache_key(sources: Mapping[str, bytes], machine: str) -> str:
    """Sixteen hexadecimal digits for the names and contents of the sources, and the processor they are built for."""
    digest = hashlib.sha256(machine.encode())
    for name in sorted(sources):
        digest.update(f"\0{name}\0{len(sources[name])}\0".encode() + sources[name])
    return digest.hexdigest()[:16]


def go_sources() -> dict[str, bytes]:
    """Every Go file and the pinned modules, by relative path."""
    paths = [path for path in SOURCES.rglob("*") if path.suffix in {".go", ".mod", ".sum"}]
    return {str(path.relative_to(SOURCES)): path.read_bytes() for path in paths}


def needed_go(go_mod: str) -> str:
    """The least version of Go that the text of go.mod asks for."""
    return _field(go_mod, r"^go (\S+)$")


def kubernetes_version(go_mod: str) -> str:
    """Such as "v1.35.4", from the text of go.mod."""
    return _field(go_mod, r"k8s\.io/kubernetes (\S+)$")


def binaries() -> Binaries:
    """The binaries for the sources as they are now, built or not."""
    key = cache_key(go_sources(), os.uname().machine)
    return Binaries(cache_folder(os.environ) / "kubernetes" / key)


def build(wanted: Binaries, running: Running) -> None:
    """Build what is not built; waits if another process is at it. Six to seven minutes on two cores the first time.

    Raises:
        ClusterError: Go failed.
    """
    with _one_builder(wanted.folder.with_suffix(".lock")):
        if wanted.built:
            return
        partial = wanted.folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with wanted.log.open("w") as output:
            _compile(".", partial / wanted.kubernetes.name, output, running)
            _compile("./pause", partial / wanted.pause.name, output, running)
        partial.rename(wanted.folder)


def link_flags(version: str) -> str:
    """Flags for Go's linker: no debugging data, and the version that every component reports."""
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items())])


def _compile(package: str, target: Path, log: IO[str], running: Running) -> None:
    """Go prints the name of each package as it starts on it, which is the progress that is told."""
    flags = link_flags(kubernetes_version((SOURCES / "go.mod").read_text()))
    command = ["go", "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(target), package]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    with subprocess.Popen(
        ending_with_us(command), cwd=SOURCES, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        line = ""
        for count, line in enumerate(_lines(process.stderr), start=1):
            log.write(line)
            running.detail(f"building, package {count}: {line.strip()}")
    if process.returncode != 0:
        log.flush()
        raise ClusterError(f"Building Kubernetes failed ({line.strip()}); all of Go's words are in {log.name}.")


def _lines(stream: IO[str] | None) -> Iterator[str]:
    yield from stream or ()


def _field(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ClusterError(
            f"hack/cluster/go/go.mod has no line like {pattern!r}: restore it with `git checkout hack/cluster/go`."
        )
    return found[1]


@contextmanager
def _one_builder(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
