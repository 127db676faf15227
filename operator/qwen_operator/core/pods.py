"""What a Pod's status says, as a few questions with plain answers.

Why it exists: the shape of `status.containerStatuses` is read in one place. It must never judge.
"""

from dataclasses import dataclass
from typing import Any

from qwen_operator.core import names
from qwen_operator.core.duration import between
from qwen_operator.core.snapshot import Manifest

TEMPLATE_HASH = "pod-template-hash"
"""Label that the Deployment controller puts on the pods of one template."""

OF_OURS = frozenset({names.CONTAINER, names.WEIGHTS_CONTAINER, names.IMAGE})
"""Names of containers: a pod of ours has one of them."""


@dataclass(frozen=True)
class Ending:
    """How the server's container ended last."""

    exit_code: int
    reason: str
    """The runtime's word, such as Error or OOMKilled."""
    message: str
    """The termination message, or the end of the log if there was none."""
    time: str
    """When, in RFC 3339; empty where the kubelet does not know."""


def name(pod: Manifest) -> str:
    """The pod's name."""
    return str(pod["metadata"]["name"])


def leaving(pod: Manifest) -> bool:
    """Whether it was asked to end."""
    return "deletionTimestamp" in pod["metadata"]


def seconds_to_end(pod: Manifest, now: str) -> float:
    """Seconds that it has left to end in, its grace period included; 0 if it was not asked to, or should have ended."""
    due = pod["metadata"].get("deletionTimestamp")
    return max(0.0, between(now, due)) if due else 0.0


def finished(pod: Manifest) -> bool:
    """Whether it will never run again; such pods stay listed for a while."""
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def ready(pod: Manifest) -> bool:
    """Whether it answers."""
    return condition(pod, "Ready").get("status") == "True"


def condition(pod: Manifest, kind: str) -> Manifest:
    """One of its conditions, or an empty one."""
    return next((entry for entry in pod.get("status", {}).get("conditions", ()) if entry.get("type") == kind), {})


def container(pod: Manifest) -> Manifest:
    """Status of our container, or an empty one before there is any; others may have been added beside it."""
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return next((status for status in statuses if status.get("name") in OF_OURS), {})


def label(pod: Manifest, key: str) -> str:
    """Value of one of its labels, or nothing."""
    return str((pod["metadata"].get("labels") or {}).get(key, ""))


def fetches(pod: Manifest) -> bool:
    """Whether it is about weights, and no replica."""
    return label(pod, names.COMPONENT) == names.WEIGHTS


def pulls(pod: Manifest) -> bool:
    """Whether it only pulls an image in advance, and is no replica."""
    return label(pod, names.COMPONENT) == names.IMAGE


def serves(pod: Manifest) -> bool:
    """Whether it is a replica."""
    return not fetches(pod) and not pulls(pod)


def revision(pod: Manifest) -> str:
    """Which pod template it was made from; nothing for one of an earlier release. Takes a template, too."""
    return label(pod, names.REVISION)


def waiting(pod: Manifest) -> Manifest:
    """Why the container does not run yet: reason and message, or empty."""
    return _state(pod, "waiting")


def running(pod: Manifest) -> bool:
    """Whether the container's process lives."""
    return "running" in container(pod).get("state", {})


def started(pod: Manifest) -> bool:
    """Whether the startup probe has succeeded."""
    return bool(container(pod).get("started"))


def started_at(pod: Manifest) -> str:
    """When the container that runs now began, in RFC 3339; empty if none runs."""
    return str(_state(pod, "running").get("startedAt") or "")


def node(pod: Manifest) -> str:
    """The node it was given to, or nothing."""
    return str(pod.get("spec", {}).get("nodeName", ""))


def restarts(pod: Manifest) -> int:
    """How often the container was started again."""
    return int(container(pod).get("restartCount", 0))


def endings(pod: Manifest) -> int:
    """How often the container has ended."""
    return restarts(pod) + (0 if running(pod) or ending(pod) is None else 1)


def ending(pod: Manifest) -> Ending | None:
    """How the container ended last, if it ever did. Even exit code 0 is an end that nobody asked for."""
    status = container(pod)
    ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated")
    if not ended:
        return None
    return Ending(
        exit_code=ended.get("exitCode", 0),
        reason=ended.get("reason", ""),
        message=ended.get("message", ""),
        time=ended.get("finishedAt") or "",
    )


def newest(pods: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """Pods of the template that came last, youngest first; those that leave are left out.

    A template came when its first pod did: of an older one a pod may be made anew at any time, for a node that died.
    """
    staying = sorted((pod for pod in pods if not leaving(pod)), key=_age, reverse=True)
    first = {_template(pod): _age(pod) for pod in staying}  # the oldest pod of a template comes last, and stays
    latest = max(first, key=lambda template: first[template], default=None)
    return tuple(pod for pod in staying if _template(pod) == latest)


def _age(pod: Manifest) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp", ""), name(pod)


def _template(pod: Manifest) -> Any:
    return pod["metadata"].get("labels", {}).get(TEMPLATE_HASH)


def _state(pod: Manifest, kind: str) -> Manifest:
    state: Manifest = container(pod).get("state", {}).get(kind, {})
    return state
