"""The Service in front of a model's replicas.

Why it exists: one stable address. It must never carry the management port, which asks for no key.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.identity import child
from qwen_operator.core.kinds import SERVICE
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import Serving
from qwen_operator.core.snapshot import Manifest


def service(model: QwenModel, serving: Serving) -> Manifest:  # noqa: ARG001  (every builder takes both)
    """The Service, with the labels and annotations that the model asks for."""
    asked = model.spec.service
    manifest = child(
        model,
        SERVICE,
        names.service(model.metadata.name),
        spec={
            "type": asked.type,
            "selector": names.selector(model.metadata.name),
            "ports": [{"name": "http", "port": asked.port, "targetPort": "api", "protocol": "TCP"}],
        },
    )
    metadata = manifest["metadata"]
    metadata["labels"] = {**asked.labels, **metadata["labels"]}
    if asked.annotations:
        metadata["annotations"] = dict(asked.annotations)
    return manifest
