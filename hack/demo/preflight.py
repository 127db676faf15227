"""Says what stands in the demo's way before anything is built, and what would help; standard library only.

Facts are gathered once (`machine.py`), each need is one pure judgement, and all that is amiss is told at once.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hack.cluster.binaries import binaries
from hack.cluster.layout import CHECKOUT, cluster_layout
from hack.cluster.machine import gather
from hack.cluster.needs import building
from hack.cluster.requirements import Need, complaints
from hack.demo import kind
from hack.demo.machine import APISERVER, CACHE, FOLDERS, GIB, LOCAL, PORT, ROOT, SERVER, Machine, observed
from hack.images.storage import storage

COMPLETE = LOCAL / "demo/complete"  # written at the end of a run
MEMORY = MappingProxyType({SERVER: 4 * GIB, APISERVER: 1.5 * GIB})
"""What a process that is not running yet will take with all that comes along: an engine pod, the cluster."""
MEMORY_BESIDES = 2.5 * GIB
"""For image building and everything else."""


@dataclass(frozen=True)
class Plan:
    """What the demo is asked to do, and what of it earlier runs have left done."""

    context: str | None
    registry: str | None
    made: frozenset[str]
    complete: bool = False
    """An earlier run came to its end, and nothing was removed since."""


@dataclass(frozen=True)
class Part:
    """Something big that the demo makes on this machine: what shows that it is there, its size, and where it lies.

    The size is in GiB. What lies in two folders takes it on each of their disks, because hard links do not reach over.
    """

    name: str
    seen: tuple[Path, ...]
    size: float
    folders: tuple[Path, ...]
    own_cluster_only: bool = False


# Measured with `du` after a run from nothing; "about 30 GB" is their sum.
PARTS = (
    Part("the environments", (ROOT / ".venv-engine/stamp",), 6.5, (ROOT, CACHE)),
    Part("the cluster's programs", (binaries().folder,), 6.5, (CACHE,), own_cluster_only=True),
    Part("the images", (storage().layers,), 9, (CACHE,)),
    Part("the images on the node", (COMPLETE, cluster_layout().kubeconfig), 9, (ROOT,), own_cluster_only=True),
)
REMEDIES = {
    ROOT: "clone to a bigger disk (`make distclean` in older checkouts gives theirs back)",
    CACHE: "name a folder on a bigger disk with XDG_CACHE_HOME",
}


def uses_kind(machine: Machine, plan: Plan) -> bool:
    """Docker and kind are there, and no cluster was named."""
    return plan.context is None and machine.docker and machine.kind


def uses_own_cluster(machine: Machine, plan: Plan) -> bool:
    """No cluster was named, and there is nothing to make one with but this repository."""
    return plan.context is None and not uses_kind(machine, plan)


def disk_needed(machine: Machine, plan: Plan) -> Counter[int]:
    """Bytes that are still to be filled, by the number of the disk."""
    own, needed = uses_own_cluster(machine, plan), Counter[int]()
    for part in PARTS:
        if part.name not in plan.made and (own or not part.own_cluster_only):
            needed.update({machine.disks[folder].device: int(part.size * GIB) for folder in part.folders})
    return needed


def disk_is_too_small(machine: Machine, plan: Plan) -> str | None:
    """Everything that is still to be built must fit."""
    needed, disks = disk_needed(machine, plan), machine.disks
    short = {disks[it].device: it for it in reversed(FOLDERS) if needed[disks[it].device] > disks[it].free}
    sentences = (
        f"{needed[device] / GIB:.0f} GiB of disk are needed at {folder} and {disks[folder].free / GIB:.0f} GiB"
        f" are free: free some, or {REMEDIES[folder]}."
        for device, folder in short.items()
    )
    return "\n".join(sentences) or None


def memory_is_too_small(machine: Machine, plan: Plan) -> str | None:
    """The engine and the cluster run on this machine, unless one was named; what runs already has its memory."""
    needed = MEMORY_BESIDES + sum(size for name, size in MEMORY.items() if name not in machine.running)
    if plan.context is not None or machine.memory_available >= needed:
        return None
    return (
        f"{needed / GIB:.1f} GiB of memory are needed and {machine.memory_available / GIB:.1f} GiB are"
        " available: end other programs, or name a cluster elsewhere with CONTEXT= and REGISTRY=."
    )


def port_is_taken(machine: Machine, plan: Plan) -> str | None:  # noqa: ARG001 - judgements share one shape
    """The port-forward listens on localhost:8000."""
    if machine.port_owner is None:
        return None
    owner = machine.port_owner or f"another program (`ss -ltnp sport = :{PORT}` names it)"
    return f"Port {PORT} on localhost is taken by {owner}: end that program."


def programs_are_missing(machine: Machine, plan: Plan) -> str | None:
    """kubectl and helm come with the own cluster only."""
    missing = sorted({"kubectl", "helm"} - machine.programs)
    if uses_own_cluster(machine, plan) or not missing:
        return None
    return f"{' and '.join(missing)} must be on the PATH to use a cluster that this repository did not build."


def registry_is_missing(machine: Machine, plan: Plan) -> str | None:  # noqa: ARG001 - judgements share one shape
    """A named cluster pulls the images from somewhere."""
    if plan.context is None or plan.registry:
        return None
    return f"The cluster {plan.context} must pull the images from a registry: name it with REGISTRY=host/path."


JUDGEMENTS: tuple[Callable[[Machine, Plan], str | None], ...] = (
    registry_is_missing,
    programs_are_missing,
    disk_is_too_small,
    memory_is_too_small,
    port_is_taken,
)


def problems(machine: Machine, plan: Plan, cluster: Sequence[str] = ()) -> tuple[str, ...]:
    """Everything that stands in the way, each with what would help; `cluster` is what our own cluster complains of."""
    own = cluster if uses_own_cluster(machine, plan) else ()
    return (*(problem for judge in JUDGEMENTS if (problem := judge(machine, plan))), *own)


def cluster_problems() -> list[str]:
    """What hack.cluster would say about this machine; disk and memory are judged here, for everything together."""
    go = "" if binaries().built else building().go
    return complaints(gather(cluster_layout().root), Need(disk=0, memory=0, go=go), CHECKOUT)


def plan(context: str | None, registry: str | None, before: float) -> Plan:
    """What is asked, and what was there before a moment, in seconds since 1970."""
    there = frozenset(part.name for part in PARTS if all(made(path, before) for path in part.seen))
    return Plan(context or None, registry or None, there, complete=is_complete(named=bool(context)))


def is_complete(*, named: bool) -> bool:
    """Whether an earlier run came to its end, and its cluster was not taken away since."""
    clusters = (cluster_layout().kubeconfig, kind.KUBECONFIG)
    return COMPLETE.exists() and (named or any(path.exists() for path in clusters))


def made(path: Path, before: float) -> bool:
    """Whether something was there before a moment; `make` has just made the environments when the demo starts."""
    return path.exists() and path.stat().st_mtime < before


def main() -> int:
    """Print what is amiss; 1 if anything is."""
    parser = argparse.ArgumentParser(
        prog="python3 -m hack.demo.preflight", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--context", help="a kubeconfig context instead of a cluster of our own")
    parser.add_argument("--registry", help="where that cluster pulls images from")
    asked = parser.parse_args()
    amiss = problems(observed(), plan(asked.context, asked.registry, time.time()), cluster_problems())
    for problem in amiss:
        print(problem, file=sys.stderr)
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
