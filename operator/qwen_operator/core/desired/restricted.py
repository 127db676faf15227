"""The restricted Pod Security profile, as every pod of ours has it.

Why it exists: two kinds of pods must not drift apart in it. It must never depend on a model.
"""

from qwen_operator.core.snapshot import Manifest

USER = 65532
"""Numeric user and group of our pods; any other would do, the images depend on none."""

POD_SECURITY: Manifest = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}

CONTAINER_SECURITY: Manifest = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
