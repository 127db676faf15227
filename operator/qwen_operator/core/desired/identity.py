"""Who a child belongs to: its labels and its owner reference.

Why it exists: a child without them is neither seen by our informers nor taken away with its model. It must never set
`blockOwnerDeletion`, which would need a right on finalizers.
"""

from typing import Any

from qwen_operator.core import names
from qwen_operator.core.kinds import QWEN_MODEL, Kind
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest


def child(model: QwenModel, kind: Kind, name: str, **body: Any) -> Manifest:
    """A child of a model: its identity, and the rest of it."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {
            "name": name,
            "namespace": model.metadata.namespace,
            "labels": names.labels(model.metadata.name),
            "ownerReferences": [owner(model)],
        },
        **body,
    }


def owner(model: QwenModel) -> Manifest:
    """The reference by which children leave with their model."""
    return {
        "apiVersion": QWEN_MODEL.api_version,
        "kind": QWEN_MODEL.kind,
        "name": model.metadata.name,
        "uid": model.metadata.uid,
        "controller": True,
    }
