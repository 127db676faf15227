"""How long a load will still take: told from bytes that were counted, and nothing where there is nothing to tell from.

Pure. It must never guess: no size, no two counts, no bytes in the last half minute, no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from qwen_server.engine.base import Progress, Stage

WINDOW_SECONDS = 30.0
"""The pace is that of this last time: storage that slows down, or has its first files cached, shows soon."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many bytes of weights had been read at this time, in seconds of any clock that runs on."""

    at: float
    done: int


def recent(counts: Sequence[Count], now: float) -> list[Count]:
    """The counts of the window, and the last one before it."""
    before = [count for count in counts if count.at < now - WINDOW_SECONDS]
    return [*before[-1:], *(count for count in counts if count.at >= now - WINDOW_SECONDS)]


def seconds_left(counts: Sequence[Count], progress: Progress, now: float) -> float | None:
    """Seconds until all weights are read; None while that is unknown. What comes after the weights is not measured.

    :param counts: in the order of their times, the first one when there was something to count.
    """
    if progress.stage is Stage.READY:
        return 0.0
    if not counts or progress.bytes_total is None or progress.stage is not Stage.LOADING:
        return None
    first = recent(counts, now)[0]
    read, took = progress.bytes_done - first.done, now - first.at
    left = progress.bytes_total - progress.bytes_done
    return round(left * took / read, 1) if read > 0 and took > 0 and left > 0 else None


@dataclass(slots=True)
class Load:
    """What has been seen of one load. `last_error` is one line without content: there are no requests yet."""

    counts: list[Count] = field(default_factory=list)
    last_error: str | None = None
    began: float | None = None
    """When the first bytes were seen."""
    ended: float | None = None
    """When all of them were."""

    @property
    def seconds(self) -> float | None:
        """How long the weights took, as far as looks tell; None while they are read, or where nobody counted."""
        return None if self.began is None or self.ended is None else round(self.ended - self.began, 1)

    def saw(self, progress: Progress, now: float) -> None:
        """Keep a count that is a new one, and an error."""
        if progress.bytes_done and (not self.counts or self.counts[-1].done != progress.bytes_done):
            self.counts = [*recent(self.counts, now), Count(now, progress.bytes_done)]
            self.began = now if self.began is None else self.began
            self.ended = now if progress.bytes_done == progress.bytes_total else None
        self.last_error = progress.error or self.last_error
