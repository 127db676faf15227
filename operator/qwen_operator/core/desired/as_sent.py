"""Pieces of a spec that have Kubernetes' own shape, as Kubernetes takes them.

Why it exists: a shape that was taken over as it is needs no second spelling. It must never be asked for a piece whose
defaults differ from Kubernetes' own, since defaults are left out.
"""

import msgspec

from qwen_operator.core.resource.fields import Part
from qwen_operator.core.snapshot import Manifest


def as_sent(piece: Part) -> Manifest:
    """A piece as JSON that was decoded, so that it compares with what lives."""
    found: Manifest = msgspec.json.decode(msgspec.json.encode(piece))
    return found
