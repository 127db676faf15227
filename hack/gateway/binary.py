"""Where the gateway's program is, and how it gets there.

It must never leave a half-built file under its final name.
"""

import fcntl
import os
import subprocess
from pathlib import Path
from typing import Final

from hack.cluster.binaries import cache_folder, cache_key

SOURCES: Final = Path(__file__).with_name("go")
PACKAGE: Final = "github.com/versity/versitygw/cmd/versitygw"


class GatewayError(Exception):
    """What is wrong and what would help, in whole sentences."""


def binary() -> Path:
    """The program for the pinned modules, built or not."""
    pinned = {name: (SOURCES / name).read_bytes() for name in ("go.mod", "go.sum")}
    return cache_folder(os.environ) / "gateway" / cache_key(pinned, os.uname().machine)


def build(wanted: Path) -> None:
    """Build what is not built; waits if another process is at it. About two minutes on two cores.

    Raises:
        GatewayError: Go failed or is missing.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with wanted.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            partial = wanted.with_suffix(".partial")
            _compile(partial)
            partial.rename(wanted)


def _compile(target: Path) -> None:
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(target), PACKAGE]
    try:
        subprocess.run(command, cwd=SOURCES, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
    except FileNotFoundError:
        raise GatewayError("Go is missing: install it from your distribution or https://go.dev.") from None
    except subprocess.CalledProcessError:
        raise GatewayError("Building the gateway failed; Go's words are above.") from None
