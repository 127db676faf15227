"""R3: each leaf of the spec is set, set wrongly and taken back; where a model comes to does not depend on its way."""

import json
from unittest.mock import patch

import pytest

from qwen_operator.core import layouts
from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.leaves import Leaf, leaves
from tests.operator_api.proofs.ledger import Ledger
from tests.operator_api.proofs.transitions import wrongs

pytestmark = pytest.mark.timeout(3600)
LEAVES: dict[str, list[Leaf]] = {}
for _leaf in leaves():
    LEAVES.setdefault(json.dumps(_leaf.before), []).append(_leaf)
STEPS = 3
"""There, wrongly, and back."""


@pytest.mark.parametrize("before", LEAVES)
def test_a_model_with_a_leaf_is_the_same_whichever_way_it_came(before: str, beside: Beside, ledger: Ledger) -> None:
    """As one that was made with it; without it as before; and what is not valid is refused by the field's name."""
    chosen = LEAVES[before]
    found, broken = beside(wrongs, json.loads(before), chosen)
    ledger.count("R3", STEPS * len(found))
    assert broken == {}
    assert {title: lines for title, lines in found.items() if lines} == {}
    assert len(found) == len(chosen)


def nostalgic() -> dict[str, list[str]]:
    """What is found of an operator that goes by a layout which nobody can ask for any more."""
    [leaf] = [leaf for leaf in leaves() if leaf.title == "device"]
    with patch.object(layouts, "is_asked", lambda *_: True):
        return wrongs(leaf.before, [leaf])[0]


def test_an_operator_that_lives_in_the_past_is_found_out(beside: Beside) -> None:
    """Else the proof would see nothing."""
    assert beside(nostalgic)["device"]
