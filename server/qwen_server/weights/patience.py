"""How long a fetch waits and how often it tries again.

Pure but for the chance that it is given. It must never try again without a pause.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from qwen_server.weights.reasons import TRANSIENT, Reason, WeightsError

LONGEST_ORDERED_PAUSE: Final = 900.0
"""Seconds of Retry-After that are waited for; the hub's own windows are of 300 s."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of one fetch; times in seconds."""

    attempts: int = 8
    """Failures in a row, with no progress between them, after which the Job ends; 8 are 2 to 4 minutes of waiting."""
    mismatches: int = 3
    """Times that one file may arrive with a wrong hash."""
    first_wait: float = 1.0
    longest_wait: float = 60.0
    stall: float = 60.0
    """Silence of the source that counts as a failure."""
    worth: int = 8 << 20
    """Bytes that must have arrived for a connection to count as progress, unless the file was finished."""
    chance: Callable[[], float] = field(default=random.random)
    """From 0 to 1."""

    def pause(self, failures: int, error: WeightsError) -> float:
        """Seconds to wait after so many failures in a row: doubling, with jitter; never less than was asked for."""
        doubling = min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1))
        wait = doubling * (0.5 + self.chance() / 2)
        return max(wait, error.retry_after or 0.0)

    def is_out(self, failures: int, error: WeightsError) -> bool:
        """Whether this failure ends the Job."""
        asked = error.retry_after or 0.0
        limit = self.mismatches if error.reason is Reason.CHECKSUM_MISMATCH else self.attempts
        return error.reason not in TRANSIENT or failures >= limit or asked > LONGEST_ORDERED_PAUSE
