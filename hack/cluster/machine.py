"""What this machine has, gathered once as plain facts. It must never judge: that is `requirements`.

Everything here is read; nothing is written, and no system package beyond Debian's essential ones is needed.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from hack.cluster.network import INTERFACE
from hack.cluster.packages import PACKAGES, missing, search_path
from hack.cluster.sockets import Listener, listeners

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Address:
    """An address of one of the host's network interfaces."""

    interface: str
    network: IPv4Interface


@dataclass(frozen=True)
class Machine:
    """Facts about the machine; sizes in bytes.

    `interface_owner` is the alias of the cluster's interface: the checkout that made it, "" if nobody did so, None
    without such an interface.
    """

    folder: Path
    root: bool
    debian: bool
    missing_packages: tuple[str, ...]
    go_version: str
    disk_free: int
    memory_available: int
    cgroup_controllers: frozenset[str]
    cgroup_writable: bool
    kernel_log: bool
    addresses: tuple[Address, ...]
    listeners: tuple[Listener, ...]
    interface_owner: str | None


def gather(folder: Path) -> Machine:
    """The facts of this machine; `folder` is where the cluster will live and need not exist."""
    return Machine(
        folder=folder,
        root=os.geteuid() == 0,
        debian=shutil.which("apt-get") is not None,
        missing_packages=missing(PACKAGES),
        go_version=_go_version(),
        disk_free=shutil.disk_usage(_nearest(folder)).free,
        memory_available=available_memory(Path("/proc/meminfo").read_text()),
        cgroup_controllers=_cgroup_controllers(),
        cgroup_writable=_cgroup_writable(),
        kernel_log=Path("/dev/kmsg").exists(),
        addresses=_addresses(),
        listeners=listeners(),
        interface_owner=interface_owner(),
    )


def available_memory(meminfo: str) -> int:
    """Bytes that may be used without swapping, from the text of /proc/meminfo."""
    fields = dict(line.split(":", 1) for line in meminfo.splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024


def unified() -> bool:
    """Whether the machine has cgroup version 2 alone."""
    return (CGROUPS / "cgroup.controllers").exists()


def cgroup_hierarchies() -> tuple[Path, ...]:
    """The mount points of all cgroup hierarchies: one on version 2, one a controller on version 1."""
    if unified():
        return (CGROUPS,)
    return tuple(sorted(path.parent for path in CGROUPS.glob("*/cgroup.procs")))


def interface_owner() -> str | None:
    """The alias of the cluster's interface on the host, or None without the interface."""
    alias = Path("/sys/class/net", INTERFACE, "ifalias")
    return alias.read_text().strip() if alias.exists() else None


def _nearest(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _go_version() -> str:
    """Such as "1.26.8"; empty without Go."""
    try:
        said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""
    return said.strip().removeprefix("go")


def _cgroup_controllers() -> frozenset[str]:
    if unified():
        return frozenset((CGROUPS / "cgroup.controllers").read_text().split())
    return frozenset(path.name for path in cgroup_hierarchies())


def _cgroup_writable() -> bool:
    return all(not os.statvfs(path).f_flag & os.ST_RDONLY and os.access(path, os.W_OK) for path in cgroup_hierarchies())


def _addresses() -> tuple[Address, ...]:
    try:
        environment = {**os.environ, "PATH": search_path()}
        command = ["ip", "-json", "-4", "address"]
        shown = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    except FileNotFoundError:
        return ()
    return tuple(
        Address(link["ifname"], IPv4Interface(f"{info['local']}/{info['prefixlen']}"))
        for link in json.loads(shown or "[]")
        for info in link.get("addr_info", ())
    )
