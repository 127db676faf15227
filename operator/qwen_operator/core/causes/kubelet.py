"""Why the node does not start the container, from the waiting state that the kubelet reports.

Why it exists: the kubelet's reasons are few and stable, while the sentences of container runtimes and registries
differ. It must never read more of these than words that several of them share.
"""

import re

from qwen_operator.core import pods
from qwen_operator.core.duration import between
from qwen_operator.core.excerpt import excerpt
from qwen_operator.core.place import place
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest

PATIENCE = 600.0
"""Seconds of preparation after which a person is told; 10 GB at 20 MB/s, the slowest pull that is still no failure."""

PULL_FAILURES = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError"})
NO_IMAGE = frozenset({"InvalidImageName", "ErrImageNeverPull"})
CREATE_FAILURES = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})

PULL_TEXTS: tuple[tuple[str, Reason], ...] = (
    ("401 Unauthorized", Reason.IMAGE_UNAUTHORIZED),
    ("403 Forbidden", Reason.IMAGE_UNAUTHORIZED),
    ("authorization failed", Reason.IMAGE_UNAUTHORIZED),
    ("pull access denied", Reason.IMAGE_UNAUTHORIZED),
    ("unauthorized", Reason.IMAGE_UNAUTHORIZED),
    (": not found", Reason.IMAGE_NOT_FOUND),
    ("manifest unknown", Reason.IMAGE_NOT_FOUND),
)
"""Parts of what containerd, CRI-O and registries say; the first that occurs counts."""

OF_PROGRAM, OF_MODEL = "server.image or server.imagePullPolicy", "model.uri"
"""Where a person says which image it is; the kubelet (1.35) reports both in the state of the container."""

NO_IMAGE_VOLUMES = 'failed to mkdir ""'
"""What containerd before 2.1 makes of a mount whose source is an image: one without a source."""


_ECHO = re.compile(
    r'(Back-off pulling image "[^"]*": \w+: )?(rpc error: code = \w+ desc = )?'
    r'failed to pull and unpack image "[^"]*": (failed to resolve reference "[^"]*": )?'
)
"""What the kubelet and containerd put before the cause, and only repeats the image's name."""


def image_cannot_be_pulled(pod: Manifest, model: QwenModel) -> Problem | None:
    """The image of the program or of the model is missing, refused or out of reach, or its name makes no sense."""
    waiting = pods.waiting(pod)
    told = waiting.get("message", "")
    text = _ECHO.sub("", told)
    facts = {"image": pods.container(pod).get("image", ""), "field": OF_PROGRAM, "why": excerpt(text)}
    if (of_model := place(model).image) and f'"{of_model}"' in told:
        facts |= {"image": of_model, "field": OF_MODEL}
    if waiting.get("reason") in NO_IMAGE:
        return Reason.IMAGE_NOT_FOUND.about(**facts)
    if waiting.get("reason") not in PULL_FAILURES:
        return None
    known = (reason for part, reason in PULL_TEXTS if part in text)
    return next(known, Reason.IMAGE_PULL_FAILED).about(**facts)


def container_cannot_be_created(pod: Manifest, model: QwenModel) -> Problem | None:
    """The runtime could not make or start the container."""
    waiting = pods.waiting(pod)
    if waiting.get("reason") not in CREATE_FAILURES:
        return None
    why = excerpt(waiting.get("message", "")) or waiting["reason"]
    if (image := place(model).image) and NO_IMAGE_VOLUMES in waiting.get("message", ""):
        return Reason.IMAGE_VOLUMES_UNSUPPORTED.about(pod=pods.name(pod), node=pods.node(pod), image=image)
    return Reason.CONTAINER_CREATE_FAILED.about(pod=pods.name(pod), namespace=model.metadata.namespace, why=why)


def node_gave_the_pod_up(pod: Manifest, model: QwenModel) -> Problem | None:  # noqa: ARG001  (as its neighbours)
    """The pod failed as a whole: evicted, or refused by the node it was given to."""
    status = pod.get("status", {})
    if status.get("phase") != "Failed" or not status.get("reason"):
        return None
    reason = Reason.EVICTED if status["reason"] == "Evicted" else Reason.REJECTED_BY_NODE
    return reason.about(pod=pods.name(pod), why=excerpt(status.get("message", "")) or status["reason"])


def pod_is_being_prepared(pod: Manifest, model: QwenModel) -> Problem | None:
    """The pod has a node and no container yet.

    Nothing tells volumes, network and image apart: while it pulls, the kubelet (1.35) does not even report the sandbox.
    """
    if _prepared_since(pod) is None:
        return None
    return Reason.PREPARING_POD.about(**_facts(pod, model))


def preparation_takes_long(pod: Manifest, model: QwenModel, now: str) -> Problem | None:
    """The pod has been prepared for so long that a person may want to look; it may still go well."""
    waited = seconds_of_preparation(pod, now)
    if waited is None or waited < PATIENCE:
        return None
    return Reason.WAITING_FOR_NODE.about(minutes=int(PATIENCE // 60), **_facts(pod, model))


def seconds_of_preparation(pod: Manifest, now: str) -> float | None:
    """How long the pod's node has prepared it, or None if it does not."""
    since = _prepared_since(pod)
    return between(since, now) if since else None


def _prepared_since(pod: Manifest) -> str | None:
    scheduled = pods.condition(pod, "PodScheduled")
    if scheduled.get("status") != "True" or pods.finished(pod) or pods.running(pod):
        return None
    if pods.waiting(pod).get("reason") not in (None, "ContainerCreating") or pods.ending(pod):
        return None
    return scheduled.get("lastTransitionTime")


def _facts(pod: Manifest, model: QwenModel) -> dict[str, object]:
    containers = pod.get("spec", {}).get("containers", [{}])
    return {
        "pod": pods.name(pod),
        "namespace": model.metadata.namespace,
        "image": containers[0].get("image", ""),
        "files": place(model).words,
    }
