"""Says what stands in the demo's way before anything is built, and what would help; standard library only.

Facts are gathered once (`machine.py`), each need is one pure judgement, and all that is amiss is told at once.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.binaries import binaries
from hack.cluster.layout import CHECKOUT, cluster_layout
from hack.cluster.machine import gather
from hack.cluster.needs import building
from hack.cluster.requirements import Need, complaints
from hack.demo.machine import GIB, LOCAL, PORT, ROOT, Machine, observed
from hack.images.storage import storage

COMPLETE = LOCAL / "demo/complete"  # written at the end of a run
MEMORY_NEEDED = 8 * GIB  # one engine pod 4, the cluster 1.5, image building and everything else the rest


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
    """Something big that the demo makes on this machine: where one sees that it is there, and its size in GiB."""

    name: str
    seen: Path
    size: float
    own_cluster_only: bool = False


# Measured with `du` after a run from nothing; "about 30 GB" is their sum.
PARTS = (
    Part("the environments", ROOT / ".venv-engine/stamp", 6.5),
    Part("the cluster's programs", binaries().folder, 6.5, own_cluster_only=True),
    Part("the images", storage().layers, 9),
    Part("the images on the node", COMPLETE, 9, own_cluster_only=True),
)


def uses_kind(machine: Machine, plan: Plan) -> bool:
    """Docker and kind are there, and no cluster was named."""
    return plan.context is None and machine.docker and machine.kind


def uses_own_cluster(machine: Machine, plan: Plan) -> bool:
    """No cluster was named, and there is nothing to make one with but this repository."""
    return plan.context is None and not uses_kind(machine, plan)


def disk_needed(machine: Machine, plan: Plan) -> float:
    """GiB that are still to be filled."""
    own = uses_own_cluster(machine, plan)
    return sum(part.size for part in PARTS if part.name not in plan.made and (own or not part.own_cluster_only))


def disk_is_too_small(machine: Machine, plan: Plan) -> str | None:
    """Everything that is still to be built must fit."""
    needed, free = disk_needed(machine, plan), machine.disk_free / GIB
    if free >= needed:
        return None
    return (
        f"{needed:.0f} GiB of disk are needed at {ROOT} and {free:.0f} GiB are free: free some, or clone"
        " to a bigger disk (`make distclean` in older checkouts gives theirs back)."
    )


def memory_is_too_small(machine: Machine, plan: Plan) -> str | None:
    """The engine and the cluster run on this machine, unless one was named."""
    if plan.context is not None or machine.memory_available >= MEMORY_NEEDED:
        return None
    return (
        f"{MEMORY_NEEDED / GIB:.0f} GiB of memory are needed and {machine.memory_available / GIB:.1f} GiB are"
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
    there = frozenset(part.name for part in PARTS if made(part.seen, before))
    return Plan(context or None, registry or None, there, complete=COMPLETE.exists())


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
