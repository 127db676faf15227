"""Debian packages that the cluster leans on: which are missing, and their installation.

It must never install a thing that is there, nor leave a service running that came with a package.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hack.cluster.errors import ClusterError

PACKAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "containerd": "containerd",
        "runc": "runc",
        "containernetworking-plugins": "/usr/lib/cni/ptp",
        "docker-registry": "docker-registry",
        "iproute2": "ip",
        "iptables": "iptables",
        "nftables": "nft",
        "openssl": "openssl",
        "procps": "sysctl",
        "util-linux": "unshare",
    }
)
"""Each package, and a program in it: a name looked up in PATH, or a path."""

SERVICES: Final = ("containerd", "docker-registry")
"""Units that start with their package; the cluster runs its own processes instead."""

SYSTEM_PATH: Final = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def missing(packages: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the packages whose program is not on this machine, in the order given."""
    return tuple(name for name, program in packages.items() if shutil.which(program, path=search_path()) is None)


def search_path() -> str:
    """PATH with the system's own folders, which a user's PATH may lack."""
    return os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_PATH))


def install_command(packages: Iterable[str]) -> str:
    """What a person types to install packages."""
    return f"apt-get install -y --no-install-recommends {' '.join(packages)}"


def install(packages: tuple[str, ...], log: Path) -> None:
    """Install Debian packages; needs root. What apt says goes to `log`.

    Raises:
        ClusterError: apt failed.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        for command in (["apt-get", "update", "-q"], install_command(packages).split()):
            status = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode
    if status != 0:
        raise ClusterError(f"`{install_command(packages)}` failed; its own words are in {log}.")
    _end_services([name for name in SERVICES if name in packages])


def _end_services(names: list[str]) -> None:
    if names and Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "disable", "--now", "--quiet", *names], check=False)
