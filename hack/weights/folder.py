"""A model folder that is either whole or not there: filled beside its place, summed, then renamed.

Knows nothing of models: which files belong in the folder is the filler's business.
"""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SUMS: Final = "SHA256SUMS"
"""Written last into a folder; the format is that of `sha256sum -c`."""


def file_digest(path: Path) -> str:
    """SHA-256 of one file, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def sums(folder: Path) -> str:
    """One line for each file of a flat folder, sorted by name."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    return "".join(f"{file_digest(path)}  {path.name}\n" for path in files)


def digest(folder: Path) -> str:
    """SHA-256 over the folder's sums: one figure that says which model this is."""
    return hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()


def is_whole(folder: Path) -> bool:
    """Whether a folder holds every file that it was made with, unchanged."""
    recorded = folder / SUMS
    return recorded.is_file() and recorded.read_text() == sums(folder)


def make(folder: Path, fill: Callable[[Path], None]) -> None:
    """Put a filled folder in the place of `folder`; what was there before leaves only when the new one is whole.

    Everybody may read the result, since a pod's user is not the one who made it. Call it within `alone`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
        made = Path(work) / "made"
        made.mkdir()
        fill(made)
        for path in made.iterdir():
            path.chmod(0o644)
        (made / SUMS).write_text(sums(made))
        if folder.exists():
            folder.rename(Path(work) / "before")
        made.rename(folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the one right to make `folder`; waits for another run to end, however it ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in folder.parent.glob(f".{folder.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
