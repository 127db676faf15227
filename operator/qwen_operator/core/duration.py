"""Spans of time as the resource spells them: 90s, 5m, 1h30m.

Why it exists: the server and the kubelet count in seconds. It must never accept what the CustomResourceDefinition does
not.
"""

import re

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
