"""How many threads a worker on a CPU has and where they run, as vLLM wants it.

vLLM says so in OpenMP's variables, which OpenMP reads when it is loaded: in a forked process that is too late, so they
are carried out by hand. It must never touch the threads of the front end.
"""

import contextlib
import os
from collections.abc import Mapping


def cpus_of(environment: Mapping[str, str]) -> set[int]:
    """The cores that vLLM gives a worker, in whichever of OpenMP's dialects it says so; empty for none."""
    lists = (
        environment.get("GOMP_CPU_AFFINITY", "").replace(" ", ","),
        environment.get("KMP_AFFINITY", "").partition("proclist=[")[2].partition("]")[0],
        environment.get("OMP_PLACES", "").strip("{}"),
    )
    chosen = next((text for text in lists if text), "")
    parts = chosen.split(",") if chosen else []
    return {int(part) for part in parts} if all(part.isdigit() for part in parts) else set()


def bind_threads(environment: Mapping[str, str]) -> None:
    """The number and the place of a worker's threads, as vLLM wants them."""
    threads = environment.get("OMP_NUM_THREADS", "")
    cpus = cpus_of(environment)
    if not (threads.isdigit() and cpus):
        return
    import torch

    torch.set_num_threads(int(threads))
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cpus)
