"""What this machine is and has, read once; standard library only, because it is asked before anything is installed."""

import contextlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.binaries import cache_folder
from hack.cluster.sockets import listeners

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
PORT = 8000
GIB = 1 << 30


CACHE = cache_folder(os.environ)
FOLDERS = (ROOT, CACHE)
"""Where the demo fills a disk: what belongs to this checkout, and what checkouts share."""
PROGRAMS = ("kubectl", "helm", "docker", "buildah")
APISERVER, SERVER = "kube-apiserver", "qwen-server"
"""Names of processes by which a cluster and a model are seen on this machine, in containers too."""


@dataclass(frozen=True)
class Disk:
    """A file system: its number, and the free bytes."""

    device: int
    free: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Facts that the demo's needs are judged by; sizes in bytes; the disk of each of FOLDERS."""

    processor: str
    cores: int
    memory: int
    memory_available: int
    disks: Mapping[Path, Disk]
    system: str
    port_owner: str | None
    docker: bool
    kind: bool
    programs: frozenset[str]
    running: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        """The machine in one line, as figures are recorded with."""
        return f"{self.processor}, {self.cores} cores, {self.memory / GIB:.0f} GiB, {self.system}"


def memory() -> tuple[int, int]:
    """All memory and what is available now."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return tuple(int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))  # type: ignore[return-value]  # two names


def processor() -> str:
    """The processor's own name, else its architecture."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def system() -> str:
    """The distribution and the kernel."""
    name = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{name}, Linux {platform.release().split('-')[0]}"


def port_owner(port: int) -> str | None:
    """Which program keeps us from listening on localhost there ("" if nobody can say), or None if nothing does."""
    taken = [it for it in listeners() if it.port == port and (it.address.is_unspecified or it.address.is_loopback)]
    return taken[0].owner if taken else None


def answers(*arguments: str) -> str:
    """What a program prints, or nothing if it is absent or fails."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def disk(folder: Path) -> Disk:
    """The disk on which a folder is, or would be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return Disk(there.stat().st_dev, shutil.disk_usage(there).free)


def processes() -> Iterator[str]:
    """The names of all processes."""
    for entry in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # ended meanwhile
            yield entry.read_text().strip()


def observed() -> Machine:
    """This machine, now."""
    whole, available = memory()
    return Machine(
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        memory=whole,
        memory_available=available,
        disks={folder: disk(folder) for folder in FOLDERS},
        system=system(),
        port_owner=port_owner(PORT),
        docker=bool(answers("docker", "info", "--format={{.ServerVersion}}")),
        kind=shutil.which("kind") is not None,
        programs=frozenset(name for name in PROGRAMS if shutil.which(name)),
        running=frozenset({APISERVER, SERVER} & set(processes())),
    )
