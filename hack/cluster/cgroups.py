"""The one cgroup below which every pod of the cluster lives, in each hierarchy that the machine has."""

import time
from pathlib import Path
from typing import Final

from hack.cluster.errors import ClusterError
from hack.cluster.machine import CGROUPS, cgroup_hierarchies, unified
from hack.cluster.requirements import CONTROLLERS

NAME: Final = "qwen-cluster"
PATIENCE: Final = 5.0
POLL: Final = 0.05


def make() -> None:
    """Make it, which kubelet expects to find; on version 2, with the controllers that kubelet uses.

    Raises:
        ClusterError: the kernel refused.
    """
    try:
        if unified():
            (CGROUPS / "cgroup.subtree_control").write_text(handed_down((CGROUPS / "cgroup.controllers").read_text()))
        for hierarchy in cgroup_hierarchies():
            (hierarchy / NAME).mkdir(exist_ok=True)
    except OSError as error:
        remedy = "use a privileged container in the host's cgroup namespace (`--cgroupns=host`)"
        raise ClusterError(f"No cgroup can be made in {CGROUPS} ({error.strerror}): {remedy}.") from error


def handed_down(available: str) -> str:
    """What to write to cgroup.subtree_control, from the text of cgroup.controllers.

    kubelet wants every controller that it knows and the machine has (`getSupportedUnifiedControllers` in its source).
    """
    known = CONTROLLERS | {"hugetlb", "pids"}
    return " ".join(f"+{name}" for name in available.split() if name in known)


def remove() -> None:
    """Remove it with all below; processes that are just being killed are waited for.

    Raises:
        ClusterError: a process stays.
    """
    deadline = time.monotonic() + PATIENCE
    while left := [hierarchy / NAME for hierarchy in cgroup_hierarchies() if not _removed(hierarchy / NAME)]:
        if time.monotonic() > deadline:
            raise ClusterError(f"A process is still in the cgroup {left[0]}: end it, then run `down` again.")
        time.sleep(POLL)


def _removed(top: Path) -> bool:
    if not top.exists():
        return True
    folders = [path for path in top.rglob("*") if path.is_dir()]
    try:
        for folder in (*sorted(folders, key=lambda path: len(path.parts), reverse=True), top):
            folder.rmdir()
    except OSError:
        return False
    return True
