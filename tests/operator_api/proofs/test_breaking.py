"""What the proofs are worth: operators that are broken on purpose, as operators have been, fail them."""

import pytest

from tests.operator_api.proofs.breaking import SHOWN, Shown
from tests.operator_api.proofs.conftest import Beside

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.fault.__name__)
def test_a_broken_operator_is_found_out(shown: Shown, beside: Beside) -> None:
    """Each by one blow; some show without any."""
    assert beside(shown.lines)
