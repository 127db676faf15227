"""What the status told before: read back, as far as it can be read.

Why it exists: what is to be seen only once (a Job's last words, a failure, an engine's figures) stays in the status,
and whoever looks later takes it from there. It must never trust what it reads: another release, or somebody's hand, may
have written it.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

Kept = TypeVar("Kept")


def remembered(status: Mapping[str, Any], kind: type[Kept], *place: str) -> Kept | None:
    """What a status holds at a place, or None if there is nothing of this kind.

    :param place: names of fields, from the outermost to the one that is meant.
    """
    found: Any = status
    try:
        for field in place:
            found = found[field]
        return msgspec.convert(found, kind)
    except (KeyError, TypeError, msgspec.ValidationError):
        return None
