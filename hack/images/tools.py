"""Which program builds here: docker where it works, else buildah, which is installed if that may be done."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from hack.cluster.packages import install, install_command, missing
from hack.images.borrowed import Borrowed
from hack.images.buildah import Buildah
from hack.images.docker import Docker
from hack.images.errors import ImageError
from hack.images.storage import Storage

PACKAGES: Final = {"buildah": "buildah", "debootstrap": "debootstrap"}
"""Debian packages for building without docker, and the program of each."""


def docker_works() -> bool:
    """Whether there is an engine behind the docker command, which may be there alone."""
    if shutil.which("docker") is None:
        return False
    try:
        answer = subprocess.run(
            ["docker", "info", "--format={{.ServerVersion}}"], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and bool(answer.stdout.strip())


def buildah(storage: Storage, borrowed: Borrowed) -> Buildah:
    """buildah, ready to build.

    Raises:
        ImageError: this is not root, or packages are missing and cannot be installed.
        ClusterError: apt failed.
    """
    absent = missing(PACKAGES)
    if os.geteuid() != 0:
        raise ImageError(
            "Building without docker needs root: start docker, or run this as root, for example with sudo."
        )
    if absent and not Path("/etc/debian_version").exists():
        raise ImageError(
            f"Without docker, images are built by buildah and debootstrap: install {' and '.join(absent)}."
        )
    if absent:
        install(absent, storage.log)
    if missing(PACKAGES):
        raise ImageError(f"Some packages are still missing: run `{install_command(absent)}`.")
    return Buildah(storage, borrowed.uv_cache)


def builder(storage: Storage, borrowed: Borrowed, *, docker: bool) -> Docker | Buildah:
    """The program for this machine, docker only if it will do; raises what `buildah` does."""
    return Docker() if docker and docker_works() else buildah(storage, borrowed)
