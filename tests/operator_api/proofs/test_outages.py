"""R5: an outage of the API server costs no pod, and is not made worse by asking; soon after it all is well."""

import pytest

from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.ledger import Ledger
from tests.operator_api.proofs.outages import OUTAGES, complaints

pytestmark = pytest.mark.timeout(3600)


def test_soon_after_an_outage_all_is_well_and_no_pod_knows_of_it(beside: Beside, ledger: Ledger) -> None:
    """Of each kind at most one request a second meanwhile; what was asked for just before is done after it."""
    ledger.count("R5", len(OUTAGES))
    assert beside(complaints, OUTAGES) == []
