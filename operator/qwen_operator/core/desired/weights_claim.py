"""The PersistentVolumeClaim that weights are fetched into.

Why it exists: half a terabyte that took hours to come outlives its model unless somebody says otherwise. It must never
ask for less than before: a claim can only grow.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.identity import owner
from qwen_operator.core.kinds import CLAIM
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import replicas
from qwen_operator.core.snapshot import Manifest


def weights_claim(model: QwenModel, size: str) -> Manifest:
    """The claim; it belongs to its model by label alone, unless it is to go with it.

    :param size: canonical.
    """
    asked, name = model.spec.cache, model.metadata.name
    owned = {"ownerReferences": [owner(model)]} if asked.retain == "Delete" else {}
    storage = {"storageClassName": asked.storage_class_name} if asked.storage_class_name else {}
    return {
        "apiVersion": CLAIM.api_version,
        "kind": CLAIM.kind,
        "metadata": {
            "name": names.weights_claim(name),
            "namespace": model.metadata.namespace,
            "labels": names.weights_labels(name),
            **owned,
        },
        "spec": {"accessModes": [access_mode(model)], "resources": {"requests": {"storage": size}}, **storage},
    }


def access_mode(model: QwenModel) -> str:
    """As asked, else by the number of replicas: several may come to stand on several nodes."""
    asked = model.spec.cache.access_mode
    if asked != "Auto":
        return asked
    return "ReadWriteMany" if replicas(model.spec) > 1 else "ReadWriteOnce"
