"""What is promised, and what the proofs of this test run counted: the table at its end."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

TIMES = int(os.environ.get("PROOFS", "1"))
"""How many times as many runs as on every commit; `make soak` sets it."""


class Promise(NamedTuple):
    """A promise of docs/reliability.md."""

    what: str
    counted: str = ""
    """What the proof counts."""
    least: int = 0
    """How many of them are proof."""
    module: str = ""
    """Path below `tests` of those that are the proof, all of which must pass; empty if there is none."""


PROMISES: dict[str, Promise] = {
    "R1": Promise(
        "crash before and after writes of eight flows", "crash points", 150, "operator_api/proofs/test_crashes.py"
    ),
    "R2": Promise("events lost, doubled, late; stale lists", "schedules", 500, "operator_api/proofs/test_schedules.py"),
    "R3": Promise(
        "transitions of every field of the spec", "transitions", 300, "operator_api/proofs/test_transitions.py"
    ),
    "R4": Promise("faults of the table with a test", "faults", 25, "house/test_faults.py"),
    "R5": Promise("outages of the API server: 1 s, 60 s, 10 min", "outages", 9, "operator_api/proofs/test_outages.py"),
    "R6": Promise("drift of owned fields repaired", "drifts on a real API server", 160, "operator_api/test_drift.py"),
    "R7": Promise("two operators: pauses, crashes, clock jumps", "runs", 1000, "operator_api/proofs/test_rivals.py"),
    "R8": Promise(
        "deaf, hung or locked out: known within 120 s", "troubles", 13, "operator_api/proofs/test_zombies.py"
    ),
    "R9": Promise("uninstall in any order", "orders", 24, "operator_api/proofs/test_leaving.py"),
    "R10": Promise("upgrade and downgrade", "ways, 0 writes", 12, "operator_unit/core/test_release.py"),
    "R12": Promise("objects that come and go", "events", 100_000, "operator_api/proofs/test_soaking.py"),
}


class Ledger:
    """Counts by promise, and how its tests ended."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def count(self, promise: str, number: int) -> None:
        """So many more runs were made, however they ended."""
        self.counts[promise] += number

    def ended(self, test: str, *, well: bool) -> None:
        """A test has passed or failed.

        :param test: its address, beginning with the path of its module.
        """
        for promise, about in PROMISES.items():
            if about.module and f"{about.module}::" in test:
                (self.passed if well else self.failed)[promise] += 1

    def result(self, promise: str) -> str:
        """What this test run says of a promise: nothing unless its tests ran, and enough of them."""
        if self.failed[promise]:
            return "FAILED"
        if not self.passed[promise]:
            return "not run"
        return "holds" if self.counts[promise] >= PROMISES[promise].least else "in part"

    def rows(self) -> Iterator[str]:
        """The table's lines."""
        for promise, about in PROMISES.items():
            number = f"{self.counts[promise]} {about.counted} (at least {about.least})" if about.module else ""
            yield f"{promise:<4} {about.what:<48} {number:<34} {self.result(promise)}"


LEDGER = Ledger()
"""Of this test run."""
