"""R12: after a hundred thousand events of objects that came and went, the operator holds what it held before."""

import pytest

from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.ledger import Ledger
from tests.operator_api.proofs.soaking import soaked

pytestmark = pytest.mark.timeout(3600)
GROWTH = 5 * 1024
"""KiB, with all that the emulator keeps, such as events for an hour."""


def test_a_long_life_leaves_nothing_behind(beside: Beside, ledger: Ledger) -> None:
    """No task, no connection, and less memory than 5 MiB; watches break off and are compacted on the way."""
    found = beside(soaked)
    ledger.count("R12", found.events)
    assert found.objects >= 20_000
    assert found.after.tasks == found.before.tasks
    assert found.after.connections <= found.before.connections
    assert found.after.kibibytes - found.before.kibibytes < GROWTH
