"""Sees that this Python can make virtual environments: Debian's own cannot until a package brings `ensurepip`.

Runs before there is any environment, so it needs the standard library only.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from hack.cluster.errors import ClusterError
from hack.cluster.packages import install, install_command

LOG = Path(__file__).resolve().parents[1] / ".local/packages.log"
PACKAGE = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


def bring_ensurepip() -> None:
    """Install what is missing where that may be done.

    Raises:
        ClusterError: it may not be done, or apt failed; the sentence names the package.
    """
    if importlib.util.find_spec("ensurepip") is not None:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {PACKAGE}, without which {sys.executable} cannot make virtual environments.")
        install((PACKAGE,), LOG)
        return
    raise ClusterError(f"{sys.executable} cannot make virtual environments: `{install_command([PACKAGE])}` on Debian.")


def main() -> int:
    """1 with a sentence if something is in the way."""
    try:
        bring_ensurepip()
    except ClusterError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
