"""Where weights come from: a model's URI taken apart.

Pure: it must never ask whether the place exists.
"""

import re
from dataclasses import dataclass
from typing import Final

from qwen_server.weights.reasons import Reason

HUB: Final = re.compile(
    r"hf://(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w.-]+(?:/[\w.-]+)*))?", re.ASCII
)
BUCKET: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?")
MOUNTED: Final = re.compile(r"(?:pvc|oci)://.+")
EXAMPLES: Final = {
    "hf": "hf://<organisation>/<name> or hf://<organisation>/<name>@<revision>",
    "s3": "s3://<bucket>/<path>",
}
COMMIT: Final = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository of a Hugging Face hub."""

    repository: str
    """`organisation/name`."""
    revision: str | None = None
    """Branch, tag or commit; None for the repository's default branch."""

    @property
    def uri(self) -> str:
        """As it was written."""
        return f"hf://{self.repository}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix in a bucket of an S3-compatible store."""

    bucket: str
    prefix: str
    """Without slashes at its ends; empty for the whole bucket."""

    @property
    def uri(self) -> str:
        """Without a slash at the end."""
        return f"s3://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


@dataclass(frozen=True, slots=True)
class Mounted:
    """A claim or an image volume: the files are in the folder already, and nothing of it is ours to write."""

    uri: str


Source = Hub | Bucket | Mounted


def source(uri: str) -> Source:
    """The parts of a URI.

    Raises:
        WeightsError: SourceInvalid.
    """
    if matched := HUB.fullmatch(uri):
        return Hub(matched["repository"], matched["revision"])
    if matched := BUCKET.fullmatch(uri):
        return Bucket(matched["bucket"], (matched["prefix"] or "").strip("/"))
    if MOUNTED.fullmatch(uri):
        return Mounted(uri)
    scheme = uri.partition("://")[0]
    example = EXAMPLES.get(scheme, "hf://, s3://, pvc:// or oci:// and the place")
    why = "the address has another form" if scheme in EXAMPLES else "its scheme is unknown"
    raise Reason.SOURCE_INVALID.about(uri=uri, why=why, example=example)
