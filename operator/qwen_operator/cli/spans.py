"""Times and amounts as people read them: 3m, 2d, 4.5 GB.

Why it exists: the age of a model and what is left of a load are read at a glance, in kubectl's own way. It must never
be used where a program reads.
"""

from qwen_operator.core.duration import between

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def span(seconds: float) -> str:
    """A time in one unit, or two where the second still matters: 45s, 3m20s, 4h, 12d."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    if whole < 600:
        return f"{whole // 60}m{whole % 60}s".replace("m0s", "m")
    return next(f"{whole // unit}{name}" for unit, name in _UNITS if whole >= 2 * unit or name == "m")


def since(time: str, now: str) -> str:
    """How long ago a time in RFC 3339 was; nothing for none."""
    if not time:
        return ""
    return span(between(time, now))


def amount(size: int) -> str:
    """Bytes of weights, as hubs count them."""
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"


def gib(size: int) -> str:
    """Bytes of memory."""
    return f"{size / 2**30:.1f} GiB"
