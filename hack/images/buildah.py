"""buildah's command lines, for machines without a Docker engine.

Its store is our own, so that removing one folder gives everything back. The overlay driver is named: buildah would
silently fall back to copying every layer whole, and one layer of ours has 5 GB.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.images.builder import Plan, is_private
from hack.images.storage import Storage

MOUNT: Final = Path("/srv")
"""Where a build sees the machine's uv cache: a folder that every base has, so that the mount leaves no trace."""


@dataclass(frozen=True)
class Buildah:
    """The buildah command on a store of our own; `cache` is this machine's uv cache."""

    storage: Storage
    cache: Path
    program: str = "buildah"
    uv_cache: Path | None = MOUNT

    @property
    def environment(self) -> Mapping[str, str]:
        """Big temporary files go where the layers are, not to a small /var/tmp."""
        return {"TMPDIR": str(self.storage.temporary)}

    @property
    def store(self) -> list[str]:
        """The program with its store."""
        options = ("--root", str(self.storage.layers), "--runroot", str(self.storage.run))
        return [self.program, *options, "--storage-driver", "overlay"]

    def find_line(self, reference: str) -> list[str]:
        """Succeeds if the image is on this machine."""
        return [*self.store, "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference]

    def build_line(self, plan: Plan, context: Path) -> list[str]:
        """Builds an image from the Dockerfile in `context`; chroot needs no container runtime, no init, no network."""
        secrets = [f"--secret=id={name},src={path}" for name, path in sorted(plan.secrets.items())]
        return [
            *(*self.store, "bud", "--isolation=chroot", "--layers"),
            *(f"--target={plan.target}", f"--tag={plan.reference}", f"--build-arg=BASE={plan.base}", *secrets),
            *(f"--volume={self.cache}:{MOUNT}", str(context)),
        ]

    def tag_line(self, reference: str, other: str) -> list[str]:
        """Gives an image another name."""
        return [*self.store, "tag", reference, other]

    def push_line(self, reference: str) -> list[str]:
        """Pushes an image to the registry in its name; zstd takes two thirds of gzip's time, and unpacks faster."""
        verify = str(not is_private(reference)).lower()
        return [
            *(*self.store, "push", "--quiet", f"--tls-verify={verify}"),
            *("--compression-format=zstd", "--compression-level=1", reference, f"docker://{reference}"),
        ]

    def import_line(self, folder: Path, container: str) -> list[str]:
        """Adds a root file system to an empty container."""
        return [*self.store, "add", "--quiet", container, str(folder), "/"]

    def empty_line(self, container: str) -> list[str]:
        """Makes an empty container of a given name."""
        return [*self.store, "from", "--name", container, "scratch"]

    def commit_line(self, container: str, reference: str) -> list[str]:
        """Makes a container an image and removes it."""
        return [*self.store, "commit", "--quiet", "--rm", container, reference]

    def sweep_line(self) -> list[str]:
        """Removes every container: builds leave some behind and mounted, interrupted ones with gigabytes in them."""
        return [*self.store, "rm", "--all"]
