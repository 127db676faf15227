"""Which images there are, what goes into each, and the name that follows from it.

Pure: contents go in, names come out. A tag is a digest of everything an image is made from, so that an image which is
there under its name never needs to be built again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

REPOSITORY: Final = "qwen-operator"
LOCAL: Final = "localhost"
"""Stands in the place of a registry in the names of images that are only on this machine."""


@dataclass(frozen=True)
class Image:
    """A target of the Dockerfile: the lock file it installs, and the free disk in bytes that its first build needs.

    buildah keeps a layer three times while it commits it: in the container, as a file, and in its store.
    """

    target: str
    requirements: str
    disk: int


IMAGES: Final[Mapping[str, Image]] = MappingProxyType(
    {
        image.target: image
        for image in (
            Image("operator", "requirements/operator.txt", 1 << 30),
            Image("server-cpu", "requirements/server-cpu.txt", 16 << 30),
            Image("server", "requirements/server-gpu.txt", 28 << 30),
        )
    }
)
SHARED: Final = ("Dockerfile", "requirements/uv.txt")
"""Files that go into every image."""


def files(image: Image) -> tuple[str, ...]:
    """What of the checkout goes into an image, besides the wheel."""
    return (*SHARED, image.requirements)


def tag(contents: Mapping[str, bytes]) -> str:
    """Twelve hexadecimal digits that say what an image is made from, given each ingredient by name."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        for part in (name.encode(), contents[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


def reference(registry: str | None, target: str, tagged: str) -> str:
    """The whole name of an image, in a registry (`host[:port][/path]`) or only here."""
    return f"{registry or LOCAL}/{REPOSITORY}/{target}:{tagged}"
