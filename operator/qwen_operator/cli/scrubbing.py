"""Objects and logs without what nobody else should read.

Why it exists: a support archive is sent to people who have no rights in the cluster. It must never hold data of a
Secret, a value of an environment variable that sounds like one, or anything that looks like a key.
"""

import re
from typing import Any

from qwen_operator.core.excerpt import scrubbed
from qwen_operator.core.snapshot import Manifest

REMOVED = "[removed]"
NOISE = ("managedFields", "selfLink")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation of kubectl with the whole object once more, as text."""
SECRETIVE = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
"""In the name of an environment variable: its value is left out."""


def without_secrets(manifest: Manifest) -> Manifest:
    """The object as it is, but for what is secret or noise."""
    metadata = {name: value for name, value in manifest.get("metadata", {}).items() if name not in NOISE}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != LAST_APPLIED}
    cleaned: Manifest = _cleaned(manifest | {"metadata": metadata})
    return cleaned


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        if SECRETIVE.search(str(value.get("name", ""))) and isinstance(value.get("value"), str):
            value = value | {"value": REMOVED}
        return {name: _cleaned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return scrubbed(value) if isinstance(value, str) else value
