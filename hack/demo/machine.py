"""What this machine is and has, read once; standard library only, because it is asked before anything is installed."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.sockets import listeners

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
PORT = 8000
GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Facts that the demo's needs are judged by; sizes in bytes."""

    processor: str
    cores: int
    memory: int
    memory_available: int
    disk_free: int
    system: str
    port_owner: str | None
    docker: bool
    kind: bool
    programs: frozenset[str]

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


def observed() -> Machine:
    """This machine, now."""
    whole, available = memory()
    return Machine(
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        memory=whole,
        memory_available=available,
        disk_free=shutil.disk_usage(ROOT).free,
        system=system(),
        port_owner=port_owner(PORT),
        docker=bool(answers("docker", "info", "--format={{.ServerVersion}}")),
        kind=shutil.which("kind") is not None,
        programs=frozenset(name for name in ("kubectl", "helm", "docker", "buildah") if shutil.which(name)),
    )
