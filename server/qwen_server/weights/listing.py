"""What a source holds: names, sizes and hashes, before a byte of content is asked for.

Pure: the shape that the hub and the bucket are brought into.
"""

import hashlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Algorithm(StrEnum):
    """How a source sums a file up."""

    SHA256 = "sha256"
    """Of the content: the hub's large files, and SHA256SUMS in a bucket."""
    GIT_BLOB = "git-blob"
    """SHA-1 of the content behind git's header: the hub's small files."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash that a source gives."""

    algorithm: Algorithm
    value: str
    """Hexadecimal, small letters."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a source."""

    name: str
    size: int
    """Bytes."""
    version: str
    """What changes when the content does: the hash where there is one, else the store's ETag."""
    digest: Digest | None
    """None where the source gives no hash of the content; then the size is all that can be compared."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A source at one moment; `commit` is what a revision was resolved to."""

    uri: str
    commit: str
    files: tuple[RemoteFile, ...]

    def file(self, name: str) -> RemoteFile | None:
        """The file of that name, if there is one."""
        return next((file for file in self.files if file.name == name), None)


class Origin(Protocol):
    """A source that can be read. Its verbs raise WeightsError and nothing else."""

    @property
    def place(self) -> str:
        """The host, for sentences."""

    def listing(self, commit: str | None) -> Listing:
        """What is there: at a commit that was resolved before, where the source keeps such, else now."""

    def first(self, file: RemoteFile, count: int) -> bytes:
        """So many bytes from a file's start, and no more is asked for; may be fewer."""

    def stream(self, file: RemoteFile, offset: int) -> Generator[bytes]:
        """The content of a file from a byte on; may end early."""


class Sums:
    """The hashes of content that passes by: SHA-256 always, git's where the source gives that."""

    def __init__(self, file: RemoteFile) -> None:
        self._wanted = file.digest
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)

    def add(self, content: bytes | memoryview) -> None:
        """The next bytes."""
        self._sha256.update(content)
        if self._wanted and self._wanted.algorithm is Algorithm.GIT_BLOB:
            self._git.update(content)

    @property
    def sha256(self) -> str:
        """Of all that passed."""
        return self._sha256.hexdigest()

    @property
    def agree(self) -> bool:
        """Whether it is what the source says; true where it says nothing."""
        if self._wanted is None:
            return True
        found = self._git.hexdigest() if self._wanted.algorithm is Algorithm.GIT_BLOB else self.sha256
        return found == self._wanted.value


def sums_of(file: RemoteFile, content: Iterable[bytes | memoryview]) -> Sums:
    """All of a file's content summed up."""
    made = Sums(file)
    for piece in content:
        made.add(piece)
    return made


def bytes_of(files: Iterable[RemoteFile]) -> int:
    """Of all of them together."""
    return sum(file.size for file in files)
