"""R2: whatever watches and lists withhold, double or confuse, the end is that of a quiet run, and nothing is lost."""

import os

import pytest

from tests.operator_api.proofs.conftest import Beside, another
from tests.operator_api.proofs.ledger import TIMES, Ledger
from tests.operator_api.proofs.schedules import SCRIPTS, endured

pytestmark = pytest.mark.timeout(3600)
EACH = 84 * TIMES
"""Schedules of each script: more than 500 of all six."""
SEED = int(os.environ.get("SEED", "0"))
"""The one that is repeated, if any."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_all_is_well_within_minutes_after_whatever_weather(script: str, beside: Beside, ledger: Ledger) -> None:
    """Seeds are counted from 1; a failure names its own, which `SEED=<it>` repeats alone."""
    seeds = range(SEED, SEED + 1) if SEED else range(1, EACH + 1)
    found, broken = beside(endured, script, seeds)
    ledger.count("R2", len(found) + len(broken))
    wrong = {f"SEED={seed}": end.wrong for seed, end in found.items() if end.wrong}
    assert wrong | {f"SEED={seed}": said for seed, said in broken.items()} == {}
    assert len(found) == len(seeds)


def test_a_seed_is_the_same_run_in_every_process(beside: Beside) -> None:
    """To the byte, whatever came before it and however Python orders its sets there."""
    two, _ = beside(endured, "again", (3, 4))
    with another() as process:
        alone, _ = process(endured, "again", (4,))
    assert alone == {4: two[4]}
    assert sum(two[4].weather.values()) > 0
