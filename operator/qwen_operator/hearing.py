"""When something was last heard on the watches that kopf keeps.

Why it exists: kopf shows us events and no bookmarks, so a watch that is quiet and one that is dead look the same from
its handlers. Every answer passes our transport, and its bytes can be counted there. It must never read any of them.
"""

import asyncio
from typing import Protocol


class Stream(Protocol):
    """An answer that goes on."""

    total_bytes: int
    """What has come of it."""


class _Ear:
    """One watch: what had come of it when somebody last asked."""

    def __init__(self, stream: Stream, now: float) -> None:
        self._stream = stream
        self._bytes = stream.total_bytes
        self._heard_at = now

    def silence(self, now: float) -> float:
        """Seconds without a byte, as far as anybody has asked."""
        if self._stream.total_bytes != self._bytes:
            self._bytes, self._heard_at = self._stream.total_bytes, now
        return now - self._heard_at


class Hearing:
    """All watches by their path."""

    def __init__(self) -> None:
        self._ears: dict[str, _Ear] = {}

    def listen(self, path: str, stream: Stream) -> None:
        """A watch was answered; it takes the place of an earlier one of the same path."""
        self._ears[path] = _Ear(stream, _now())

    def silence(self) -> float:
        """Seconds since the last byte on the watch that is silent for longest; 0 before the first one.

        It is as fine as it is asked for often: a byte counts from when it is seen.
        """
        return max((ear.silence(_now()) for ear in self._ears.values()), default=0.0)


def _now() -> float:
    return asyncio.get_running_loop().time()
