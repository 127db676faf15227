"""Ends what runs out of this checkout, so that `make clean` takes no folder away from under a live process.

Only what is there: nothing is asked of docker, kind or root otherwise.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from hack.cluster import control_plane, lifecycle
from hack.cluster.errors import ClusterError
from hack.cluster.layout import CHECKOUT_LOCK, CONTROL_PLANE, cluster_layout
from hack.cluster.lock import exclusive
from hack.demo import kind
from hack.demo.errors import DemoError
from hack.demo.machine import LOCAL

LOG = LOCAL / "clean.log"


def runners() -> dict[Path, Callable[[], None]]:
    """By what one sees that each may run, and how it is ended."""
    return {
        cluster_layout().root: lifecycle.down,
        CONTROL_PLANE: lambda: control_plane.end(CONTROL_PLANE),
        kind.KUBECONFIG: lambda: kind.down(kind.KUBECONFIG, LOG),
    }


def main() -> int:
    """End everything; 1 with a sentence if something may not or cannot be ended."""
    try:
        with exclusive(CHECKOUT_LOCK, "make clean"):
            for place, end in runners().items():
                if place.exists():
                    end()
    except (ClusterError, DemoError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
