"""When the run began as a person counts it: when `make` was started, environments included."""

import os
import time
from pathlib import Path


def parent(process: int) -> tuple[str, int, float]:
    """A process's name, its parent, and its start in seconds since boot."""
    name, _, rest = Path(f"/proc/{process}/stat").read_text().partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, int(fields[1]), int(fields[19]) / os.sysconf("SC_CLK_TCK")


def began() -> float:
    """Seconds on the boot clock at which the nearest `make` above us was started, else we ourselves."""
    process = os.getpid()
    start = parent(process)[2]
    while process > 1:
        name, process, at = parent(process)
        if name == "make":
            return at
    return start


def elapsed(since: float) -> float:
    """Seconds from then until now."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - since
