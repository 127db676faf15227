"""R1: the operator dies before and after writes of eight flows, or calls fail; the end is always the same."""

import pytest

from tests.operator_api.emulator.faults import Strike
from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.crashing import Blow, Blows, Point, divergences, ends, writes
from tests.operator_api.proofs.flows import FLOWS
from tests.operator_api.proofs.ledger import TIMES, Ledger

pytestmark = pytest.mark.timeout(3600)
CRASHES = (Blow(Strike.BEFORE), Blow(Strike.AFTER))
FAILURES = (
    Blow(Strike.AFTER, crash=False),
    *(Blow(Strike.INSTEAD, crash=False, status=status) for status in (409, 429, 500)),
)
"""What else befalls a write: its answer is lost, or it is refused. The process lives on."""


def blows(writes: list[str]) -> Blows:
    """Two crashes at the first two times and the last of each write, at some a failure; in a soak all of all."""
    if TIMES > 1:
        return dict.fromkeys(range(1, len(writes) + 1), (*CRASHES, *FAILURES))
    times = {write: [at for at, each in enumerate(writes, 1) if each == write] for write in writes}
    chosen = sorted({at for each in times.values() for at in (*each[:2], each[-1])})
    return {at: (*CRASHES, FAILURES[turn // 3 % 4]) if turn % 3 == 0 else CRASHES for turn, at in enumerate(chosen)}


@pytest.mark.parametrize("flow", FLOWS)
def test_whatever_befalls_a_write_ends_where_a_quiet_run_does(flow: str, beside: Beside, ledger: Ledger) -> None:
    """Killed before the write arrives or before its answer does; refused; unanswered."""
    planned = blows(beside(writes, flow))
    found = beside(divergences, flow, planned)
    broken = {point: lines for point, lines in found.items() if lines}
    crashes = sum(point.blow.crash for point in found)
    ledger.count("R1", crashes)
    assert len(found) == sum(map(len, planned.values())) > 0
    assert broken == {}


def test_a_branch_ends_as_the_same_run_does_alone(beside: Beside) -> None:
    """So whatever is found in one can be repeated, and none is touched by the branches before it."""
    point = Point(9, CRASHES[1])
    _, two, _ = beside(ends, "create", {4: CRASHES, 9: CRASHES})
    _, alone, _ = beside(ends, "create", {point.number: (point.blow,)})
    assert alone == {point: two[point]}


def test_a_key_is_made_though_a_quota_changed_at_that_moment(beside: Beside) -> None:
    """An API server answers 409 to that as well, and nothing is there: a Secret that is taken for made never comes."""
    made = beside(writes, "create").index("create secrets ") + 1
    found = beside(divergences, "create", {made: (Blow(Strike.INSTEAD, crash=False, status=409),)})
    assert list(found.values()) == [[]]
