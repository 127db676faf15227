"""Which image a change needs on which nodes before a replica there makes room, and what keeps it from coming.

Why it exists: in place, nobody serves from a node between one replica and the next: neither a slow pull nor an image
that doesn't exist belongs there. It must never ask for an image that a replica of the node runs already.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from qwen_operator.core import names, pods, weights
from qwen_operator.core.causes.fetching import image_is_stuck
from qwen_operator.core.desired import image_job
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot


@dataclass(frozen=True)
class Pull:
    """An image that nodes must have."""

    image: str
    nodes: tuple[str, ...]


def missing(model: QwenModel, image: str, serving: Iterable[Manifest], seen: Snapshot) -> Pull | None:
    """The image, if nodes of replicas that serve may not have it.

    :param serving: pods of other templates.
    """
    without = (pod for pod in serving if pod["spec"]["containers"][0].get("image") != image)
    nodes = tuple(sorted({pods.node(pod) for pod in without if pods.node(pod)}))
    if not nodes or weights.complete(job(model, Pull(image, nodes), seen)):
        return None
    return Pull(image, nodes)


def job(model: QwenModel, pull: Pull, seen: Snapshot) -> Manifest | None:
    """The Job that pulls it, if there is one."""
    wanted = image_job.name(model, pull.image, pull.nodes)
    return next((each for each in seen.jobs if each["metadata"]["name"] == wanted), None)


def unneeded(model: QwenModel, pull: Pull | None, seen: Snapshot) -> tuple[Manifest, ...]:
    """Jobs that pull what nobody waits for."""
    wanted = image_job.name(model, pull.image, pull.nodes) if pull else ""
    return tuple(each for each in seen.jobs if pods.pulls(each) and each["metadata"]["name"] != wanted)


def hindrance(model: QwenModel, pull: Pull, seen: Snapshot) -> Problem:
    """Why the image is not there yet."""
    name = image_job.name(model, pull.image, pull.nodes)
    of_job = (pod for pod in seen.pullers if pods.label(pod, names.JOB_NAME) == name)
    stuck = (problem for pod in of_job if (problem := image_is_stuck(pod, model)))
    namespace = model.metadata.namespace
    return next(stuck, None) or Reason.PULLING_IMAGE.about(job=name, image=pull.image, namespace=namespace)
