"""What the steps of a build need of docker or buildah: command lines, and nothing run yet."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One image to build: the Dockerfile's target, its name, the base it stands on and the secrets it is lent."""

    target: str
    reference: str
    base: str
    secrets: Mapping[str, Path]


class Builder(Protocol):
    """A program that builds and pushes images."""

    @property
    def uv_cache(self) -> Path | None:
        """Where a build sees this machine's uv cache, or None if it keeps one of its own."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that the program is started with, besides the caller's."""

    def find_line(self, reference: str) -> list[str]:
        """Succeeds if the image is on this machine."""

    def build_line(self, plan: Plan, context: Path) -> list[str]:
        """Builds an image from the Dockerfile in `context`."""

    def tag_line(self, reference: str, other: str) -> list[str]:
        """Gives an image another name."""

    def push_line(self, reference: str) -> list[str]:
        """Pushes an image to the registry in its name."""


def is_private(reference: str) -> bool:
    """Whether a name's registry is this machine or an address in a private network, and so speaks plain HTTP."""
    host = reference.partition("/")[0].rpartition(":")[0] or reference.partition("/")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return False
