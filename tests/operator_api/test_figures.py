"""What the operator is held to on every commit: counts and CPU with 100 models, in a process of its own."""

from hack.bench_operator.limits import broken_by_a_commit
from hack.bench_operator.runs import run_of_a_commit


def test_a_hundred_models_cost_no_more_than_is_allowed() -> None:
    """Writes, reads, looks, tries, requests at once, and CPU; no limit here is of wall time."""
    assert broken_by_a_commit(run_of_a_commit()) == []
