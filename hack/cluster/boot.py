"""Starts the node's process 1 and finds it again. What happens inside is `node`'s business."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from hack.cluster import configs, packages, processes
from hack.cluster.components import foundation, tenants
from hack.cluster.layout import CHECKOUT, Layout
from hack.cluster.node import BINDS

MODULE: Final = "hack.cluster.node"
OURS: Final = Path("/var/lib")
"""Mount points in this folder are made by the node; every machine has the others."""
NAMESPACES: Final = (
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--uts",
    "--ipc",
    "--propagation",
    "private",
    "--mount-proc",
)


def start(layout: Layout) -> None:
    """Start the node in the background; it goes on without us, so that a killed driver leaves no half-started node."""
    layout.components.unlink(missing_ok=True)
    layout.fingerprint.write_text(fingerprint(layout))
    log = layout.logs / "node.log"
    if log.exists():
        log.rename(log.with_suffix(".log.old"))
    with log.open("w") as output, Path("/proc/self/ns/net").open() as host_network:
        descriptor = host_network.fileno()
        program = (sys.executable, "-m", MODULE, str(layout.root), str(descriptor))
        subprocess.run(
            ["setsid", "--fork", *NAMESPACES, "--fork", "--kill-child", *program],
            cwd=CHECKOUT,
            env={**os.environ, "PATH": packages.search_path(), "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[descriptor],
            check=True,
        )


def node(layout: Layout) -> int:
    """The node's process as the host numbers it, or 0."""
    return processes.find(MODULE, str(layout.root))


def runs(layout: Layout) -> bool:
    """Whether the node runs, or is on its way to."""
    return processes.exists(MODULE, str(layout.root))


def last_words(layout: Layout) -> str:
    """The last line that the node wrote."""
    log = layout.logs / "node.log"
    lines = log.read_text().strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing."


def has_older_settings(layout: Layout) -> bool:
    """Whether the running node was started with other settings than it would be now."""
    return not layout.fingerprint.exists() or layout.fingerprint.read_text() != fingerprint(layout)


def fingerprint(layout: Layout) -> str:
    """A digest of the settings that a node started now would have."""
    commands = [component.command for component in (*foundation(layout, ""), *tenants(layout, ""))]
    return configs.fingerprint(configs.files(layout), commands)


def remove_mount_points() -> None:
    """Remove the folders that were made for the node's mounts; one that holds something was there before us."""
    for path in map(Path, BINDS):
        if path.parent == OURS and path.is_dir() and not any(path.iterdir()):
            path.rmdir()
