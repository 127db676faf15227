"""The table at the end of a test run says no more than the run has shown."""

from pathlib import Path

from tests.operator_api.proofs.ledger import PROMISES, Ledger

CRASHES = "tests/operator_api/proofs/test_crashes.py"


def a_ledger(*, points: int, passed: int = 0, failed: int = 0) -> Ledger:
    """After so many crash points and tests of R1."""
    ledger = Ledger()
    ledger.count("R1", points)
    for well in (True,) * passed + (False,) * failed:
        ledger.ended(f"{CRASHES}::test_something[create]", well=well)
    return ledger


def test_a_promise_holds_if_enough_was_tried_and_nothing_failed() -> None:
    """A failure counts more than any number."""
    assert a_ledger(points=150, passed=8).result("R1") == "holds"
    assert a_ledger(points=149, passed=8).result("R1") == "in part"
    assert a_ledger(points=150, passed=7, failed=1).result("R1") == "FAILED"
    assert a_ledger(points=0, failed=1).result("R1") == "FAILED"


def test_a_promise_whose_tests_did_not_run_is_said_to_be_just_that() -> None:
    """Tests of others say nothing of it."""
    ledger = a_ledger(points=0)
    ledger.ended("tests/operator_api/test_lease.py::test_something", well=True)
    assert {ledger.result(promise) for promise in PROMISES} == {"not run"}
    assert all(row.endswith("not run") for row in ledger.rows())


def test_the_module_that_a_row_is_about_is_there() -> None:
    """Else the row could only ever say that it was not run."""
    folder = Path(__file__).parents[2]
    assert all((folder / about.module).is_file() for about in PROMISES.values() if about.module)
