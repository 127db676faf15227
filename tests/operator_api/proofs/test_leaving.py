"""R9: whatever goes first, nothing of the models stays but the claims that are to be kept."""

from typing import Any
from unittest.mock import patch

import pytest

from qwen_operator.cluster import Cluster
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.leaving import KEPT, ORDERS, left
from tests.operator_api.proofs.ledger import Ledger

pytestmark = pytest.mark.timeout(600)
_apply = Cluster.apply


def test_an_uninstallation_leaves_nothing_in_any_order(beside: Beside, ledger: Ledger) -> None:
    """The operator, its rights, the models, the definition of their kind; an operator that still runs does no harm."""
    found, broken = beside(left)
    ledger.count("R9", len(found))
    assert broken == {}
    assert {order: end for order, end in found.items() if end != KEPT} == {}
    assert len(found) == len(ORDERS)


def with_finalizers() -> Any:
    """What stays of children that wait for their operator, in two orders."""

    async def apply(self: Cluster, kind: Kind, manifest: Manifest) -> Manifest:
        metadata = (
            manifest["metadata"] if kind.subresource else manifest["metadata"] | {"finalizers": ["example.com/wait"]}
        )
        return await _apply(self, kind, manifest | {"metadata": metadata})

    with patch.object(Cluster, "apply", apply):
        return left(ORDERS[:2])


def test_children_that_waited_for_their_operator_would_be_found(beside: Beside) -> None:
    """Else the proof would see nothing."""
    found, broken = beside(with_finalizers)
    assert broken == {}
    assert all(end - KEPT for end in found.values())
