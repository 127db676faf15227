"""What the proofs are worth: operators that are broken on purpose, as operators have been, fail them."""

import pytest

from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.showing import AWAY, SHOWN, WITHHELD, Away, Shown, Withheld

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("broken", [*SHOWN, *WITHHELD, *AWAY], ids=lambda broken: broken.fault.__name__)
def test_a_broken_operator_is_found_out(broken: Shown | Withheld | Away, beside: Beside) -> None:
    """By one blow at one write, by none, by one of a hundred schedules, or by an outage."""
    assert beside(broken.lines)
