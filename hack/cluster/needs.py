"""What the cluster takes of a machine, as figures.

Standard library only, like all that it imports: it is asked before anything is installed.
"""

from typing import Final

from hack.cluster import binaries
from hack.cluster.requirements import GIB, Need

RUNNING: Final = Need(disk=2 * GIB, memory=2 * GIB, go="")
"""For a cluster without images or models of any size."""


def building() -> Need:
    """What the build needs besides: Go's modules and build cache take about 6 GiB, its linker about 3 GiB of memory."""
    go_mod = (binaries.SOURCES / "go.mod").read_text()
    return Need(disk=10 * GIB, memory=4 * GIB, go=binaries.needed_go(go_mod))
