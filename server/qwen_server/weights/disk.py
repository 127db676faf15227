"""What a fetch does to the folder: lock it, ask for room, write parts, put files and manifests in place.

A part is named after its content's version and written by offset, so two writers that a file system's broken lock
lets in at once write the same bytes to the same places. It must never put a file in place that was not synced to the
disk.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, Self

from qwen_server.weights.listing import RemoteFile, Sums
from qwen_server.weights.marker import LEDGER, MARKER, Manifest, size_of
from qwen_server.weights.reasons import Reason, WeightsError

LOCK: Final = ".qwen-weights.lock"
PARTS: Final = ".qwen-weights.parts"
BLOCK: Final = 4 << 20
"""Bytes read at once when content on the disk is summed up."""
RESERVE: Final = 1.02
"""Room asked for, as a multiple of the bytes that are missing: a file system needs some for itself."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def writing(folder: Path, missing: int = 0) -> Iterator[None]:
    """Say what the disk refuses. `missing` bytes are still to come. Raises WeightsError."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise out_of_space(folder, missing) from None
        raise Reason.FOLDER_NOT_WRITABLE.about(folder=folder, why=error.strerror or type(error).__name__) from None


def out_of_space(folder: Path, missing: int) -> WeightsError:
    """The disk is full, with numbers."""
    with suppress(OSError):
        usage = shutil.disk_usage(folder)
        least = usage.total - usage.free + missing * RESERVE
        return Reason.OUT_OF_SPACE.about(
            folder=folder, free=gigabytes(usage.free), needed=gigabytes(missing * RESERVE), least=gibibytes(least)
        )
    return Reason.OUT_OF_SPACE.about(folder=folder, free="too little", needed=gigabytes(missing), least="as large")


def gigabytes(count: float) -> str:
    """For a person: 1 GB is 10^9 bytes; small amounts in MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def gibibytes(count: float) -> str:
    """For a claim: whole Gi, rounded up."""
    return f"{int(-(-count // (1 << 30)))}Gi"


def ask_for_room(folder: Path, missing: int) -> None:
    """Raise OutOfSpace before a byte is fetched for nothing."""
    with writing(folder):
        free = shutil.disk_usage(folder).free
    if missing and free < missing * RESERVE:
        raise out_of_space(folder, missing)


@contextmanager
def alone(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the one right to fill a folder; `wait` is called once if somebody else has it. The dead hold nothing."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("ab")
    with lock:
        _hold(lock, wait)
        with writing(folder):
            (folder / PARTS).mkdir(exist_ok=True)
        yield


def _hold(lock: IO[bytes], wait: Callable[[], None]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait()
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a file system without locks: parts by offset keep the content right, see above
        return


def blocks(path: Path) -> Iterator[bytes]:
    """The content of a file in order."""
    with path.open("rb", buffering=0) as content:
        while block := content.read(BLOCK):
            yield block


def part_path(folder: Path, file: RemoteFile) -> Path:
    """Where a file's content lies until it is verified; other content has another part."""
    return folder / PARTS / f"{file.name}.{sha256(file.version.encode()).hexdigest()[:16]}"


def part_bytes(folder: Path, file: RemoteFile) -> int:
    """Bytes of a file that an earlier fetch left."""
    return min(size_of(part_path(folder, file)) or 0, file.size)


class Part:
    """A file's content until it is verified. Its length says how much of it is there; nothing else is kept.

    The constructor reads what is there, to go on with its hash. Every method raises OSError as the disk does.
    """

    def __init__(self, folder: Path, file: RemoteFile) -> None:
        self.file = file
        self._place = folder / file.name
        self._path = part_path(folder, file)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.offset = 0
        self.sums = Sums(file)
        self._recall()

    def _recall(self) -> None:
        if os.fstat(self._descriptor).st_size > self.file.size:
            os.ftruncate(self._descriptor, 0)
        while block := os.pread(self._descriptor, BLOCK, self.offset):
            self.sums.add(block)
            self.offset += len(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self.file.size - self.offset

    def take(self, piece: bytes) -> None:
        """The next bytes."""
        view = memoryview(piece)
        while view:
            written = os.pwrite(self._descriptor, view, self.offset)
            self.sums.add(view[:written])
            self.offset, view = self.offset + written, view[written:]

    def drop(self) -> None:
        """Begin anew."""
        os.ftruncate(self._descriptor, 0)
        self.offset, self.sums = 0, Sums(self.file)

    def put_in_place(self) -> None:
        """The verified content becomes the file; on the disk first."""
        os.fsync(self._descriptor)
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # a Job's memory limit counts clean pages too
        self._path.rename(self._place)
        sync(self._place.parent)


def write_ledger(folder: Path, ledger: Manifest) -> None:
    """Keep what is verified so far, whatever ends this process."""
    new = folder / PARTS / LEDGER
    with new.open("wb") as file:
        file.write(ledger.document())
        file.flush()
        os.fsync(file.fileno())
    new.rename(folder / LEDGER)
    sync(folder)


def mark(folder: Path) -> None:
    """The ledger is complete: it becomes the marker."""
    (folder / LEDGER).rename(folder / MARKER)
    sync(folder)
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def unmark(folder: Path, kept: Manifest) -> None:
    """The folder is not whole any more; what is right is kept in the ledger."""
    write_ledger(folder, kept)
    (folder / MARKER).unlink(missing_ok=True)
    sync(folder)


def sync(folder: Path) -> None:
    """Make renames in a folder last; file systems that cannot sync a folder have no need to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
