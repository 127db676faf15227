"""The marker of a verified folder, and the ledger of one that is on its way there.

Both are one JSON document: the source, its commit, and each file's size, SHA-256 and version. The ledger grows with
each verified file; renamed, it is the marker. The server looks at it before it loads anything: it must never say that
a folder is whole which is not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from qwen_server.weights.reading import content

MARKER: Final = ".qwen-weights.json"
LEDGER: Final = ".qwen-weights.partial.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Verified:
    """A file whose content had the right hash when it came; `version` is the source's own name for that content."""

    size: int
    sha256: str
    version: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a folder."""

    source: str
    """The URI that was asked for."""
    commit: str
    files: Mapping[str, Verified] = field(default_factory=dict)

    def document(self) -> bytes:
        """As it is written: JSON that a person can read."""
        files = {
            name: {"size": file.size, "sha256": file.sha256, "version": file.version}
            for name, file in sorted(self.files.items())
        }
        written = {"format": FORMAT, "source": self.source, "commit": self.commit, "files": files}
        return (json.dumps(written, indent=1) + "\n").encode()

    def of_another_size(self, folder: Path) -> list[str]:
        """Names of files that are gone or of another size than when they were verified."""
        return [name for name, file in sorted(self.files.items()) if size_of(folder / name) != file.size]


class NoManifest(ValueError):  # noqa: N818 - names what was found
    """A file under a manifest's name is none."""


def manifest(document: bytes) -> Manifest:
    """A written manifest. Raises NoManifest for anything else."""
    try:
        read: Any = json.loads(document)
        if read["format"] != FORMAT:
            raise NoManifest
        files = {name: _verified(name, file) for name, file in read["files"].items()}
        return Manifest(str(read["source"]), str(read["commit"]), files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoManifest from None


def _verified(name: str, file: Mapping[str, Any]) -> Verified:
    if "/" in name or name in ("", ".", ".."):  # a manifest speaks of its own folder alone
        raise NoManifest
    return Verified(int(file["size"]), str(file["sha256"]), str(file["version"]))


def read_manifest(path: Path) -> Manifest | None:
    """The manifest under a path; None if there is nothing. Raises NoManifest, OSError."""
    try:
        return manifest(content(path))
    except FileNotFoundError:
        return None
    except ValueError:
        raise NoManifest from None


def size_of(path: Path) -> int | None:
    """Bytes of a file; None if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def complaint(folder: Path) -> str | None:
    """Why the files of a folder must not be served; None for a whole one, and for one that was filled by hand.

    Sizes alone are compared: it takes a stat a file, where hashes would take a read of every byte.
    """
    try:
        found = read_manifest(folder / MARKER)
    except (NoManifest, OSError):
        return f"{folder / MARKER} cannot be read; fetch the weights again."
    if found is None:
        begun = (folder / LEDGER).exists()
        return f"The download into {folder} was never finished; let the weights Job complete it." if begun else None
    other = found.of_another_size(folder)
    return f"{folder / other[0]} is not as it was when it was verified; fetch the weights again." if other else None
