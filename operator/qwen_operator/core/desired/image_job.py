"""The Job that pulls the image of a change onto the nodes of the replicas, before one of them makes room.

Why it exists: an image that can't be had must not cost a replica that serves, and the time of its pull is not time
without that replica. Each pod runs the server only as far as its version. It must never ask for a GPU, a volume or a
key, nor bear labels that a Service selects.
"""

import hashlib

from qwen_operator.core import names
from qwen_operator.core.desired.job import job
from qwen_operator.core.desired.restricted import CONTAINER_SECURITY
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest


def name(model: QwenModel, image: str, nodes: tuple[str, ...]) -> str:
    """Name of the Job; another image, or other nodes, is another Job."""
    mark = hashlib.sha256("\n".join((image, *nodes)).encode()).hexdigest()[:8]
    return names.image_job(model.metadata.name, mark)


def image_job(model: QwenModel, image: str, pull_policy: str, nodes: tuple[str, ...]) -> Manifest:
    """The Job: one pod on each node."""
    labels, own = names.image_labels(model.metadata.name), name(model, image, nodes)
    pod = {
        "affinity": _affinity(own, nodes),
        "tolerations": [{"operator": "Exists"}],  # where a replica is, its image may be
        "containers": [_container(image, pull_policy)],
    }
    return job(model, own, labels, pod, count=len(nodes))


def _container(image: str, pull_policy: str) -> Manifest:
    return {
        "name": names.IMAGE,
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": [names.SERVER_PROGRAM],
        "args": ["--version"],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _affinity(own: str, nodes: tuple[str, ...]) -> Manifest:
    """On these nodes, and never two on one; a node is known by its name, since its labels may say anything."""
    fields = ({"key": "metadata.name", "operator": "In", "values": [node]} for node in nodes)
    apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {names.JOB_NAME: own}}}
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchFields": [field]} for field in fields]
            }
        },
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]},
    }
