"""R8: an operator that can't work is known as such within two minutes, or has helped itself."""

from typing import Any
from unittest.mock import patch

import aiohttp
import pytest

from qwen_operator import liveness
from qwen_operator.transport import Transport
from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.ledger import Ledger
from tests.operator_api.proofs.zombies import LIMIT, TROUBLES, Known, found_out

pytestmark = pytest.mark.timeout(600)
_stream = Transport.stream


def test_whatever_is_taken_from_it_somebody_knows_within_two_minutes(beside: Beside, ledger: Ledger) -> None:
    """It ends, its probe fails, or it has begun each dead watch anew."""
    found, broken = beside(found_out)
    ledger.count("R8", sum(known.seconds <= LIMIT for known in found.values()))
    assert broken == {}
    assert {name: known for name, known in found.items() if known.seconds > LIMIT} == {}
    assert found.keys() == TROUBLES.keys()


def patient() -> dict[str, Known]:
    """The same of an operator that takes silence for peace."""

    def stream(self: Transport, path: str, query: dict[str, str], _: aiohttp.ClientTimeout) -> Any:
        return _stream(self, path, query, aiohttp.ClientTimeout(total=None))

    with patch.object(Transport, "stream", stream), patch.object(liveness, "SILENCE_LIMIT", 1e9):
        return found_out()[0]


def test_an_operator_that_takes_silence_for_peace_is_found_out(beside: Beside) -> None:
    """Else the proof would see nothing."""
    assert beside(patient)["every watch is dead"].seconds > LIMIT
