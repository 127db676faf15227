"""Amounts in the spelling that the API server keeps.

Why it exists: what is sent is compared with what lives, so 1024Mi has to become 1Gi before it is sent, as
`k8s.io/apimachinery/pkg/api/resource` would spell it. It must never round.
"""

import re
from fractions import Fraction

_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?")


def canonical(amount: int | str) -> str:
    """The amount as Kubernetes spells it: a whole number with the largest suffix that fits.

    :raises ValueError: if it is not an amount.
    """
    value, suffix = _parsed(amount)
    # apimachinery spells a binary amount in decimal where it is small or not whole
    if suffix in _BINARY and value >= 1024 and value.denominator == 1:
        return _binary(int(value))
    return _decimal(value)


def half(amount: int | str) -> str:
    """Half of an amount of memory, in whole MiB."""
    return canonical(f"{int(_parsed(amount)[0] / 2) >> 20}Mi")


def whole(amount: int | str) -> int:
    """The amount as a whole number, such as bytes; a rest is dropped.

    :raises ValueError: if it is not an amount.
    """
    return int(_parsed(amount)[0])


def smaller(one: str, other: str) -> str:
    """The smaller of two amounts."""
    return min(one, other, key=lambda amount: _parsed(amount)[0])


def larger(one: str, other: str) -> str:
    """The larger of two amounts."""
    return max(one, other, key=lambda amount: _parsed(amount)[0])


def _parsed(amount: int | str) -> tuple[Fraction, str]:
    match = _AMOUNT.fullmatch(str(amount))
    if match is None:
        raise ValueError(f"{amount} is not an amount such as 500m, 4 or 16Gi")
    suffix = match[2] or ""
    return Fraction(match[1]) * _factor(suffix), suffix


def _factor(suffix: str) -> Fraction:
    if suffix in _BINARY:
        return Fraction(1024 ** (_BINARY.index(suffix) + 1))
    return Fraction(1000) ** _DECIMAL[suffix]


def _binary(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < len(_BINARY):
        value, power = value // 1024, power + 1
    return f"{value}{('', *_BINARY)[power]}"


def _decimal(value: Fraction) -> str:
    fits = [(value / _factor(suffix), suffix) for suffix in _DECIMAL]
    whole = [(number, suffix) for number, suffix in fits if number.denominator == 1]
    number, suffix = whole[-1] if value else (Fraction(0), "")
    return f"{number}{suffix}"
