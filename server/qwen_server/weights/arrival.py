"""One file on its way: what lies there, what is still to come, and whether it is what the source says.

Goes on from any byte, since the part's length is all the state there is. It must never put a file in place whose hash
or size is not the source's.
"""

import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from qwen_server.journal import Journal
from qwen_server.weights.disk import Part, blocks, writing
from qwen_server.weights.listing import Origin, RemoteFile, sums_of
from qwen_server.weights.marker import Verified, size_of
from qwen_server.weights.patience import Patience
from qwen_server.weights.progress import Gauge
from qwen_server.weights.reasons import Reason, WeightsError


class Stopped(Exception):  # noqa: N818 - names what happened
    """Another file failed for good, so this one need not go on."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every file of one fetch shares."""

    folder: Path
    origin: Origin
    patience: Patience
    gauge: Gauge
    journal: Journal
    stop: threading.Event = field(default_factory=threading.Event)

    def rest(self, seconds: float) -> None:
        """Wait. Raises Stopped as soon as there is nothing to wait for."""
        if self.stop.wait(seconds):
            raise Stopped


class Failures:
    """The failures of one file, in a row, and what they allow."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._in_a_row = 0
        self._mismatches = 0

    def bear(self, error: WeightsError, arrived: int) -> None:
        """Rest after a failure before which so many bytes arrived. Raises the error when patience is at its end."""
        patience = self._ground.patience
        self._mismatches += error.reason is Reason.CHECKSUM_MISMATCH
        self._in_a_row = 1 if arrived >= patience.worth else self._in_a_row + 1
        count = self._mismatches if error.reason is Reason.CHECKSUM_MISMATCH else self._in_a_row
        if patience.is_out(count, error):
            raise error
        pause = patience.pause(count, error)
        self._ground.gauge.trouble(error)
        self._ground.journal.note(
            "trying again",
            "warning",
            reason=error.reason,
            message=error.message,
            failures=count,
            seconds=round(pause, 1),
        )
        self._ground.rest(pause)


def bring(file: RemoteFile, ground: Ground) -> Verified:
    """Have a file in place, verified: from what lies there, from its part, from the source.

    Raises:
        WeightsError: the source or the disk, after as many attempts as patience has.
        Stopped: somebody else failed.
    """
    if found := adopted(file, ground):
        return found
    failures = Failures(ground)
    with writing(ground.folder), Part(ground.folder, file) as part:
        ground.gauge.found(part.offset)
        while True:
            before = part.offset
            try:
                return _attempt(part, ground)
            except WeightsError as error:
                failures.bear(error, part.offset - before)


def adopted(file: RemoteFile, ground: Ground) -> Verified | None:
    """A file that lies in place already and has the source's hash: put there by hand, or just before a kill."""
    place = ground.folder / file.name
    if file.digest is None or size_of(place) != file.size:
        return None
    with writing(ground.folder):
        sums = sums_of(file, blocks(place))
    if not sums.agree:
        return None
    ground.gauge.found(file.size)
    return Verified(file.size, sums.sha256, file.version)


def _attempt(part: Part, ground: Ground) -> Verified:
    """One connection's worth. Raises WeightsError, Stopped."""
    if part.missing:
        with closing(ground.origin.stream(part.file, part.offset)) as stream:
            for piece in stream:
                _take(part, piece, ground)
    if part.missing:
        raise Reason.SOURCE_UNREACHABLE.about(place=ground.origin.place, why="the connection ended early")
    if not part.sums.agree:
        raise _mismatch(part, ground)
    part.put_in_place()
    return Verified(part.file.size, part.sums.sha256, part.file.version)


def _take(part: Part, piece: bytes, ground: Ground) -> None:
    if ground.stop.is_set():
        raise Stopped
    if len(piece) > part.missing:
        raise _mismatch(part, ground)
    with writing(ground.folder, ground.gauge.missing):
        part.take(piece)
    ground.gauge.received(len(piece))


def _mismatch(part: Part, ground: Ground) -> WeightsError:
    """What came is of no use, and begins anew."""
    ground.gauge.found(-part.offset)
    part.drop()
    return Reason.CHECKSUM_MISMATCH.about(
        name=part.file.name, place=ground.origin.place, times=ground.patience.mismatches
    )
