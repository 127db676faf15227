"""Docker's command lines (BuildKit). The base is Debian's own image, which Docker can pull."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.images.builder import Plan

BASE: Final = "debian:bookworm-slim"


@dataclass(frozen=True)
class Docker:
    """The docker command; its BuildKit keeps a uv cache of its own."""

    program: str = "docker"
    uv_cache: Path | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """Secrets and mounts need BuildKit."""
        return {"DOCKER_BUILDKIT": "1"}

    def find_line(self, reference: str) -> list[str]:
        """Succeeds if the image is on this machine."""
        return [self.program, "image", "inspect", reference]

    def build_line(self, plan: Plan, context: Path) -> list[str]:
        """Builds an image from the Dockerfile in `context`."""
        secrets = [f"--secret=id={name},src={path}" for name, path in sorted(plan.secrets.items())]
        return [
            *(self.program, "build", "--progress=plain", f"--target={plan.target}", f"--tag={plan.reference}"),
            *(f"--build-arg=BASE={plan.base}", *secrets, str(context)),
        ]

    def tag_line(self, reference: str, other: str) -> list[str]:
        """Gives an image another name."""
        return [self.program, "tag", reference, other]

    def push_line(self, reference: str) -> list[str]:
        """Pushes an image to the registry in its name."""
        return [self.program, "push", reference]
