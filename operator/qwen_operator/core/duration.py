"""Spans of time in seconds: as the resource spells them, such as 90s, 5m or 1h30m, and between two moments.

Why it exists: the server and the kubelet count in seconds. It must never accept what the CustomResourceDefinition does
not.
"""

import re
from datetime import datetime

_SPAN = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_UNITS = (3600, 60, 1)


def seconds(span: str) -> int:
    """The span in seconds.

    :raises ValueError: if it is none.
    """
    match = _SPAN.fullmatch(span)
    if match is None or not span:
        raise ValueError(f"{span} is not a span of time such as 90s, 5m or 1h30m")
    return sum(int(number or 0) * unit for number, unit in zip(match.groups(), _UNITS, strict=True))


def between(begin: str, end: str) -> float:
    """Seconds from one moment to another, both in RFC 3339; negative if the other came first."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
