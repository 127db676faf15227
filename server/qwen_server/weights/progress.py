"""How far a fetch is: true counts of bytes, a rate over the last minute, and what is in the way.

It must never guess: what is not known is None.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from qwen_server.weights.reasons import WeightsError

WINDOW: Final = 60.0
"""Seconds over which the rate is taken."""
SLOW: Final = 1_000_000
"""Bytes a second below which a download is called slow: 480 GB would take five and a half days."""


class Stage(StrEnum):
    """What a fetch is at."""

    RESOLVING = "resolving"
    WAITING = "waiting for another fetch"
    CHECKING = "checking"
    DOWNLOADING = "downloading"
    DESCRIBING = "describing"
    COMPLETE = "complete"


class Gauge:
    """Counts, from several threads at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[tuple[float, int]] = deque()
        self._received = 0
        self._stage = Stage.RESOLVING
        self._done = 0
        self._total: int | None = None
        self._trouble: WeightsError | None = None

    @property
    def stage(self) -> Stage:
        """The present one."""
        return self._stage

    @property
    def missing(self) -> int:
        """Bytes that are still to come, as far as is known."""
        with self._lock:
            return max(0, (self._total or 0) - self._done)

    def enter(self, stage: Stage) -> None:
        """The next stage begins."""
        with self._lock:
            self._stage = stage

    def count(self, total: int, done: int = 0) -> None:
        """A new count: so many bytes will be there in the end, and so many are already."""
        with self._lock:
            self._total, self._done = total, done

    def found(self, count: int) -> None:
        """Bytes that were there already; negative for those that turned out to be of no use."""
        with self._lock:
            self._done += count

    def received(self, count: int) -> None:
        """Bytes that the source sent."""
        with self._lock:
            self._done += count
            self._received += count
            self._trouble = None
            self._sample()

    def trouble(self, error: WeightsError) -> None:
        """What is in the way, until bytes flow again."""
        with self._lock:
            self._trouble = error

    def document(self) -> dict[str, Any]:
        """By the names of the server's own /progress, and three more: `bytes_per_second`, `slow`, `reason`."""
        with self._lock:
            rate = self._rate() if self._stage is Stage.DOWNLOADING else None
            left = None if self._total is None else max(0, self._total - self._done)
            return {
                "phase": "fetching",
                "stage": str(self._stage),
                "bytes_done": self._done,
                "bytes_total": self._total,
                "percent": round(100 * self._done / self._total, 1) if self._total else None,
                "bytes_per_second": rate,
                "seconds_left": round(left / rate) if left is not None and rate else None,
                "slow": bool(left) and rate is not None and rate < SLOW and self._span() >= WINDOW / 2,
                "reason": str(self._trouble.reason) if self._trouble else None,
                "last_error": self._trouble.message if self._trouble else None,
            }

    def _sample(self) -> None:
        """One sample a second is enough for a minute's rate."""
        now = self._clock()
        if not self._samples or now - self._samples[-1][0] >= 1.0:
            self._samples.append((now, self._received))
        while len(self._samples) > 2 and now - self._samples[1][0] > WINDOW:
            self._samples.popleft()

    def _span(self) -> float:
        return self._clock() - self._samples[0][0] if self._samples else 0.0

    def _rate(self) -> int | None:
        """Silence counts: a source that sends nothing gets slower with each look."""
        span = self._span()
        return round((self._received - self._samples[0][1]) / span) if span >= 1.0 else None
