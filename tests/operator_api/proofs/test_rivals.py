"""R7: of two operators one writes, whatever happens to them; and the other takes over in time."""

from typing import Any
from unittest.mock import patch

import pytest

from qwen_operator.lease import Lease
from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.ledger import TIMES, Ledger
from tests.operator_api.proofs.rivals import rivalries

pytestmark = pytest.mark.timeout(3600)
RUNS = 1000
AT_ONCE = 100
"""Runs that grow out of one beginning."""
LONGEST = {"a clean stop": 3.0, "a crash": 20.0}
"""Seconds until somebody writes again."""


@pytest.mark.parametrize("first", range(0, RUNS * TIMES, AT_ONCE))
def test_of_two_operators_one_writes_and_the_other_takes_over_in_time(
    first: int, beside: Beside, ledger: Ledger
) -> None:
    """Paused for a minute, killed, asked to end, with a wrong clock, or slow."""
    found, broken = beside(rivalries, range(first, first + AT_ONCE))
    ledger.count("R7", len(found))

    assert broken == {}
    assert {seed: end.strangers for seed, end in found.items() if end.strangers} == {}
    late = [(seed, each) for seed, end in found.items() for each in end.takeovers if each.seconds > LONGEST[each.after]]
    assert late == []
    assert {each.after for end in found.values() for each in end.takeovers} == {*LONGEST}
    assert all(end.writes for end in found.values())


CARELESS: dict[str, Any] = {"held": lambda lease: bool(lease.acquired.is_set()), "time_to_write": lambda _: 3600.0}
"""A Lease that is thought to be held until somebody says otherwise. That a single write is broken off in time is shown
by `tests/operator_api/test_faults.py`: here it takes a rarer chance."""


def strangers(seeds: range) -> int:
    """Writes of those who do not hold the Lease, with a careless one."""
    with patch.multiple(Lease, **CARELESS):
        found, _ = rivalries(seeds)
    return sum(len(end.strangers) for end in found.values())


def test_a_careless_lease_is_found_out(beside: Beside) -> None:
    """Else the proof would see nothing."""
    assert beside(strangers, range(AT_ONCE))
