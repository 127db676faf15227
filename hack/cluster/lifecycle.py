"""Up, down and status: the order of things, and nothing else. The command line and `hack.demo` call these.

    from hack.cluster.lifecycle import up
    up(report=lambda step: print(step.title, step.state, step.elapsed, step.detail))

Each may be called at any time, after any crash; each raises `ClusterError` with a sentence for a person.
"""

import shutil
import time
from dataclasses import dataclass
from typing import Final

from hack.cluster import boot, cgroups, health, network, preparation, processes
from hack.cluster.errors import ClusterError
from hack.cluster.layout import CHECKOUT, Layout, cluster_layout
from hack.cluster.lock import exclusive
from hack.cluster.machine import interface_owner
from hack.cluster.steps import Report, Running, silence, step
from hack.cluster.supervisor import Record

POLL: Final = 0.1
PATIENCE: Final = 90.0
"""Seconds that a node may take to its first Ready; it takes about six."""
RECOVERY: Final = 30.0
"""Seconds that a running node is given to mend itself before it is started anew; components wait ten at most."""
GRACE: Final = 10.0
KEPT: Final = frozenset({"lock", "logs"})
"""What `down` leaves in the cluster's folder."""


@dataclass(frozen=True)
class Status:
    """How the cluster is; `node` is its process on the host, 0 if it is down."""

    node: int
    components: tuple[Record, ...]
    ailments: dict[str, str]


def up(report: Report = silence, layout: Layout | None = None) -> Layout:
    """Make the cluster run, whatever state it is in; returns when its node is Ready.

    Raises:
        ClusterError: what is in the way, and what would help.
    """
    layout = layout or cluster_layout()
    preparation.demand_root()
    with exclusive(layout.lock, "up"):
        if not _runs_well(layout, report):
            preparation.prepare(layout, report)
            with step("Node", report) as running:
                boot.start(layout)
                _await_health(layout, running, PATIENCE)
                running.detail(f"{network.NODE_NAME} is Ready, {network.API_URL}")
    return layout


def down(report: Report = silence, layout: Layout | None = None) -> None:
    """Remove the cluster with all its state; its log files stay.

    Raises:
        ClusterError: a second run is under way, or something could not be removed.
    """
    layout = layout or cluster_layout()
    preparation.demand_root()
    with exclusive(layout.lock, "down"), step("Cluster down", report) as running:
        if node := boot.node(layout):
            running.detail("ending the node")
            processes.end(node, GRACE)
        if interface_owner() in {None, str(CHECKOUT)}:
            cgroups.remove()
            boot.remove_mount_points()
        running.detail("removing its files")
        _clear(layout)
        running.detail("nothing is left but log files")


def status(layout: Layout | None = None) -> Status:
    """How the cluster is; changes nothing."""
    layout = layout or cluster_layout()
    node = boot.node(layout)
    if not node:
        return Status(0, (), {"node": "is down"})
    return Status(node, health.records(layout), health.ailments(layout))


def _runs_well(layout: Layout, report: Report) -> bool:
    """Whether the node runs and is well, or becomes so by itself; one that does not is ended."""
    node = boot.node(layout)
    if not node:
        return False
    with step("Running cluster", report) as running:
        try:
            _await_health(layout, running, RECOVERY if layout.pki.is_dir() else 0)  # lost files do not come back
        except ClusterError as problem:
            running.detail(f"{problem} It is started anew.")
            processes.end(node, GRACE)
            return False
        older = boot.has_older_settings(layout)
        running.detail("well, with older settings: `down`, then `up` brings the new ones" if older else "well")
    return True


def _await_health(layout: Layout, running: Running, patience: float) -> None:
    deadline = time.monotonic() + patience
    while ailments := health.ailments(layout):
        name, reason = next(iter(ailments.items()))
        if not boot.runs(layout):
            raise ClusterError(f"The node has ended: {boot.last_words(layout)} (log: {layout.logs / 'node.log'})")
        if time.monotonic() > deadline:
            raise ClusterError(f"After {patience:.0f} s, {name} is not well: {reason}. Its log is in {layout.logs}.")
        running.detail(f"waiting for {', '.join(ailments)}")
        time.sleep(POLL)


def _clear(layout: Layout) -> None:
    for entry in layout.root.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
