"""One run at a time: a lock on a file that the kernel lets go when its holder dies, however it dies.

There are two: a cluster's own, held while it is changed, and the checkout's, held by each run that needs the cluster to
stay as it is from beginning to end, and by those that take it away.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.cluster.errors import ClusterError


def refusal(folder: Path, holder: str) -> str:
    """The sentence for a second run; `holder` is what the first one wrote, such as "`up` (process 12)"."""
    who = holder.strip() or "Another run"
    return f"{who} is at work in {folder}: wait until it has ended, then run this again."


@contextmanager
def exclusive(path: Path, verb: str) -> Iterator[None]:
    """Hold the lock at `path` for a block.

    Raises:
        ClusterError: somebody else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, path)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"`{verb}` (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ClusterError(refusal(path.parent, os.pread(descriptor, 200, 0).decode(errors="replace"))) from error
