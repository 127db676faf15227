"""How far a replica has loaded its model, as the server itself says on its management port.

Why it exists: a load of many minutes that moves is told from one that does not, and a person sees how long it will
take. It must never be a clock: bytes of weights are counted where they pass.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[float, Meta(ge=0, lt=2**31)]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a load came to."""

    cache_tokens: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    """Tokens that the KV cache of one rank holds."""
    load_seconds: Seconds | None = None
    """From the first byte of weights to the last."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The server's answer to GET /progress; whatever else it says is passed over.

    The bounds are those of the status that it goes into: a pod must not be able to make that impossible to write.
    """

    stage: Annotated[str, Meta(max_length=40, pattern=r"^[a-z ]+$")]
    """The server's own word for what it does, such as `loading weights`."""
    bytes_done: Bytes = 0
    """Bytes of weights that every worker of the engine has read."""
    bytes_total: Bytes | None = None
    percent: Annotated[float, Meta(ge=0, le=100)] | None = None
    """Of those bytes; None while their sum is unknown."""
    seconds_left: Seconds | None = None
    measured: Figures | None = None
    """Once the model is loaded."""

    @property
    def summary(self) -> str:
        """A few words for a column, such as `loading weights 45%`."""
        return self.stage if self.percent is None else f"{self.stage} {int(self.percent)}%"


_decoder = msgspec.json.Decoder(Progress)


def progress(body: bytes) -> Progress | None:
    """A server's answer, or None if it is something else."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return None


def furthest_behind(loads: Iterable[Progress]) -> Progress | None:
    """Of several replicas the one that has read least: all are needed."""
    return min(loads, key=lambda each: each.bytes_done, default=None)
