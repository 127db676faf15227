"""One run at a time: a lock that the kernel lets go when its holder dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.demo.errors import DemoError


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for a block; raises DemoError when somebody else does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another run of {what} is under way in this checkout: wait until it has ended.") from None
        yield
