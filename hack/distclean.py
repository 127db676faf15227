"""Gives back the disk outside of the checkout: what this project alone keeps there is removed, with the space it took.

Runs with the system's Python after `make clean`, so it needs the standard library only. Caches that other projects
share (uv's, Go's) are not ours to empty: they are named with the command that does it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.errors import ClusterError
from hack.cluster.lock import exclusive
from hack.images.storage import storage

GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True)
class Shared:
    """A cache of a tool that this project filled, and the command that empties it."""

    folder: Path
    command: str


def own(environment: Mapping[str, str]) -> Path:
    """The folder that belongs to this project alone: built Kubernetes, images, models."""
    return Path(environment.get("XDG_CACHE_HOME") or Path(environment["HOME"], ".cache"), "qwen-operator")


def shared(environment: Mapping[str, str]) -> tuple[Shared, ...]:
    """The caches of tools."""
    home = Path(environment["HOME"])
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    return (
        Shared(cache / "uv", "uv cache clean"),
        Shared(cache / "go-build", "go clean -cache"),
        Shared(Path(environment.get("GOMODCACHE") or home / "go/pkg/mod"), "go clean -modcache"),
    )


def files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below a folder, links not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from files(Path(entry.path))
            else:
                yield entry


def size(folder: Path) -> int:
    """Bytes on disk; a file with several names counts once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for entry in files(folder):
        status = entry.stat(follow_symlinks=False)
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * 512
    return total


def shown(count: int) -> str:
    """Bytes as a person reads them."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def mounts_below(folder: Path, mountinfo: str) -> list[Path]:
    """What is mounted below a folder, the innermost first, from the text of /proc/self/mountinfo."""
    octal = re.compile(r"\\(\d{3})")
    points = [octal.sub(lambda code: chr(int(code[1], 8)), line.split()[4]) for line in mountinfo.splitlines()]
    return [path for path in map(Path, reversed(points)) if path.is_relative_to(folder)]


def unmount(folder: Path) -> None:
    """Unmount what a killed build left mounted; removing would otherwise reach into it.

    Raises:
        ClusterError: something is still in use.
    """
    for path in mounts_below(folder.resolve(), Path("/proc/self/mountinfo").read_text()):
        ended = subprocess.run(["umount", str(path)], capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise ClusterError(f"{ended.stderr.strip().rstrip('.')}: end what uses it, then run this again.")


def remove(folder: Path) -> None:
    """Remove our own folder, and say what came back.

    Raises:
        ClusterError: images are being built, or something in it is in use.
    """
    if not folder.is_dir():
        print(f"Nothing of this project is in {folder}.")
        return
    with exclusive(storage().lock, "make distclean"):
        unmount(folder)
        freed = size(folder)
        shutil.rmtree(folder)
    print(f"Removed {folder}: {shown(freed)} came back.")


def main() -> int:
    """Remove what is ours, and say what is shared."""
    try:
        remove(own(os.environ))
    except (ClusterError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    for cache in shared(os.environ):
        if cache.folder.is_dir():
            holds = f"{cache.folder} holds {shown(size(cache.folder))}, shared with other projects"
            print(f"{holds}: `{cache.command}` empties it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
