"""Runs in a short-lived pod that mounts a claim: puts the files of a stream there, whole or not at all.

Handed over as text to `python -c`, so it imports only the standard library. The files travel as one tar stream; they
are unpacked beside their place, checked against the digest that the sender told, and only then moved into it.
"""

import hashlib
import shutil
import sys
import tarfile
from pathlib import Path
from typing import BinaryIO

MARKER = ".sha256"


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder, the marker left out."""
    whole = hashlib.sha256()
    for path in sorted(entry for entry in folder.rglob("*") if entry.is_file() and entry.name != MARKER):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def holds(folder: Path, wanted: str) -> bool:
    """Whether a folder was filled with exactly that content before."""
    marker = folder / MARKER
    return marker.is_file() and marker.read_text().strip() == wanted


def unpack(folder: Path, stream: BinaryIO) -> None:
    """Write the plain files of a tar stream, and nothing else; raises ValueError for a name that leads out.

    By hand, because `extractall` of Debian 12's Python knows no `filter`.
    """
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            path = folder / entry.name
            if ".." in path.parts or not path.is_relative_to(folder):
                raise ValueError(f"{entry.name} leads out of the folder")
            content = archive.extractfile(entry) if entry.isfile() else None
            if content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)


def receive(folder: Path, wanted: str, stream: BinaryIO) -> None:
    """Unpack the stream into the folder; raises ValueError when what arrived is not what was sent."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    unpack(part, stream)
    if (arrived := digest(part)) != wanted:
        shutil.rmtree(part)
        raise ValueError(f"the content arrived as {arrived}, not as {wanted}")
    (part / MARKER).write_text(wanted + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def main(folder: str, wanted: str, *mode: str) -> int:
    """`check` tells by the exit status whether the content is there (0) or not (3); without it, receive."""
    if mode == ("check",):
        return 0 if holds(Path(folder), wanted) else 3
    try:
        receive(Path(folder), wanted, sys.stdin.buffer)
    except (OSError, ValueError, tarfile.TarError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        while sys.stdin.buffer.read(1 << 20):  # kubectl hangs when nobody reads what it sends
            pass
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
