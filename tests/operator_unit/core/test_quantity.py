"""Amounts are spelled as the API server spells them, or every comparison with what lives would fail."""

import pytest

from qwen_operator.core.quantity import canonical

SPELLED_BY_APIMACHINERY = {
    "1000m": "1",
    "0.5": "500m",
    "1.5Gi": "1536Mi",
    "1024Mi": "1Gi",
    "1536Mi": "1536Mi",
    "2000": "2k",
    "1000000": "1M",
    "0.5Gi": "512Mi",
    "512": "512",
    "1.1Gi": "1181116006400m",
    "0.5m": "500u",
    "0": "0",
    "500m": "500m",
    "100Ki": "100Ki",
    "1024Ki": "1Mi",
    "0.5Ki": "512",
    "1.0": "1",
    "16Gi": "16Gi",
    "1000Mi": "1000Mi",
    "0.001Gi": "1073741824m",
}
"""Input and output of k8s.io/apimachinery v0.35.4, by a program that decodes and encodes a container's limits."""


@pytest.mark.parametrize(("given", "kept"), SPELLED_BY_APIMACHINERY.items())
def test_an_amount_is_spelled_as_the_api_server_keeps_it(given: str, kept: str) -> None:
    """The table is apimachinery's own answer."""
    assert canonical(given) == kept


def test_a_whole_number_is_an_amount_too() -> None:
    """`cpu: 4` without quotes."""
    assert canonical(4) == "4"


@pytest.mark.parametrize("amount", ["", "much", "4 Gi", "-1", "1e3", "Gi"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    """With the amount in the message."""
    with pytest.raises(ValueError, match=f"^{amount} is not an amount"):
        canonical(amount)
