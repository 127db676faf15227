"""Where a model's files are: `spec.model.uri` taken apart.

Why it exists: the claim's name and the folder in it are needed by the reader of the caches, by the gate and by the
builders, and are worked out in one place. It must never judge whether the place exists.
"""

from dataclasses import dataclass

PVC = "pvc"
HF = "hf"
S3 = "s3"
OCI = "oci"


@dataclass(frozen=True)
class Source:
    """A model URI in its parts."""

    scheme: str
    """`pvc`, `hf`, `s3` or `oci`."""
    place: str
    """What stands between `://` and the first slash: for `pvc` the claim's name."""
    path: str
    """What follows, without slashes at its ends; empty for the top."""

    @property
    def image(self) -> str | None:
        """Reference of the image, for an `oci://` URI."""
        return f"{self.place}/{self.path}" if self.scheme == OCI else None

    @property
    def claim(self) -> str | None:
        """Name of the PersistentVolumeClaim, for a `pvc://` URI."""
        return self.place if self.scheme == PVC else None


def source(uri: str) -> Source:
    """The parts of a URI that the API server has let pass."""
    scheme, _, rest = uri.partition("://")
    place, _, path = rest.partition("/")
    return Source(scheme, place, path.strip("/"))
