"""A small Debian as a base image where none can be pulled: debootstrap's minimal variant, upgraded and thinned.

The same in kind as `debian:bookworm-slim`. Nothing of this machine may stay in it.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from hack.images.buildah import Buildah
from hack.images.process import Runner

SUITE: Final = "bookworm"
MIRROR: Final = "http://deb.debian.org/debian"
SOURCES: Final = f"""\
deb {MIRROR} {SUITE} main
deb {MIRROR} {SUITE}-updates main
deb {MIRROR}-security {SUITE}-security main
"""
UNREAD: Final = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale")
"""Folders that nobody reads in a container; packages installed later leave them out too."""
HOST: Final = ("etc/resolv.conf", "etc/hostname", "etc/machine-id", "var/log/bootstrap.log", "var/log/dpkg.log")
"""What debootstrap copies from this machine or writes about it."""
CACHES: Final = ("var/cache/apt", "var/lib/apt/lists", "var/log/apt")
EXCLUDES: Final = "".join(f"path-exclude /{folder}/*\n" for folder in UNREAD)


def reference() -> str:
    """The base image's name; another recipe is another name."""
    recipe = "\n".join((SUITE, SOURCES, *UNREAD, *HOST, *CACHES))
    return f"localhost/qwen-operator/base:{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def debootstrap_line(root: Path) -> list[str]:
    """Lays a minimal Debian below `root`."""
    return ["debootstrap", "--variant=minbase", SUITE, str(root), MIRROR]


def upgrade_lines(root: Path) -> tuple[list[str], ...]:
    """Brings it up to date with Debian's security archive."""
    apt = ["chroot", str(root), "apt-get", "--quiet", "--yes"]
    return ([*apt, "update"], [*apt, "dist-upgrade"], [*apt, "clean"])


def settle(root: Path) -> None:
    """Name all archives, and keep manuals out from now on."""
    (root / "etc/apt/sources.list").write_text(SOURCES)
    (root / "etc/dpkg/dpkg.cfg.d/unread").write_text(EXCLUDES)


def thin(root: Path) -> None:
    """Take out what nobody reads, and what tells of this machine."""
    for folder in (*UNREAD, *CACHES):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir(parents=True)
    for file in HOST:
        (root / file).unlink(missing_ok=True)


def make(builder: Buildah, runner: Runner) -> str:
    """Make the base image if it is not there, in about a minute, and return its name.

    Raises:
        ImageError: debootstrap or buildah failed.
    """
    name = reference()
    if runner.succeeds(builder.find_line(name)):
        return name
    root = builder.storage.temporary / "base"
    container = "qwen-operator-base"
    shutil.rmtree(root, ignore_errors=True)
    try:
        runner.run(debootstrap_line(root))
        settle(root)
        for line in upgrade_lines(root):
            runner.run(line)
        thin(root)
        runner.run(builder.empty_line(container))
        runner.run(builder.import_line(root, container))
        runner.run(builder.commit_line(container, name))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return name
