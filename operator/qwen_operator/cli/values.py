"""Values of flags, checked where they are typed.

Why it exists: argparse shows an ArgumentTypeError as one sentence behind the flag's name. It must never let a value
pass that only the work behind it would stumble over.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta

from qwen_operator.core.quantity import whole

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(\d{1,6})([dhms])", re.ASCII)


def number(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds; commas and underscores between digits are passed over."""

    def parse(text: str) -> int:
        digits = text.replace(",", "").replace("_", "")
        if not digits.isdecimal() or not least <= int(digits) <= most:
            raise ArgumentTypeError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(digits)

    return parse


def share(least: float, most: float) -> Callable[[str], float]:
    """A part of one, within bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be a number from {least} to {most}, not {text!r}")
        return value

    return parse


def percent(text: str) -> float:
    """A percentage below 100, with or without its sign, as a part of one."""
    return share(0, 99)(text.removesuffix("%")) / 100


def size(text: str) -> int:
    """An amount of memory as Kubernetes writes it, at least 1Gi, in bytes."""
    try:
        amount = whole(text)
    except ValueError:
        amount = 0
    if amount < 2**30:
        raise ArgumentTypeError(f"must be an amount such as 80Gi, not {text!r}")
    return amount


def duration(text: str) -> timedelta:
    """A time such as 30d, 24h, 90m or 45s; 0s is none."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ArgumentTypeError(f"must be a time such as 30d, 24h or 90m, not {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def base_url(port: int) -> str:
    """Where a model is on this machine while it is brought here."""
    return f"http://localhost:{port}/v1"
