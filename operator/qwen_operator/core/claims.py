"""What a PersistentVolumeClaim lets pods do.

Why it exists: a claim of one node holds up every pod on another, so who goes first matters. It must never judge a
model.
"""

from qwen_operator.core.snapshot import Manifest

SHARED = frozenset({"ReadOnlyMany", "ReadWriteMany"})
"""Access modes that let several nodes in."""


def is_of_one_node(claim: Manifest | None) -> bool:
    """Whether one node at a time can mount it; one that may not be seen is taken for such a claim."""
    return not SHARED & set((claim or {}).get("spec", {}).get("accessModes", ()))
