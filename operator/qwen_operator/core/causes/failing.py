"""Whether pods of one revision have failed for good, so that waiting for them is in vain.

Why it exists: a rollout is given up on evidence, never because it takes long. A server that ends gets further attempts;
what a pod waits for without its own doing gets the time in which a start may stand still. It must never read the pods
of another revision.
"""

from collections.abc import Iterable

from qwen_operator.core import pods
from qwen_operator.core.causes import ending, kubelet, scheduler
from qwen_operator.core.duration import between
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import stall_timeout
from qwen_operator.core.snapshot import Manifest

ATTEMPTS = 3
"""Ends of a server that never started, within about half a minute: enough to get over a device that was just let go."""

AT_ONCE = frozenset({Reason.IMAGE_NOT_FOUND, Reason.IMAGE_UNAUTHORIZED})
"""What a registry has answered, so that asking again is in vain."""
REFUSED_FOR_GOOD = frozenset({Reason.POD_SECURITY_REJECTED, Reason.REPLICA_REFUSED})
"""What no pod of the template can get over; a quota may have room later."""


def failure(
    mine: Iterable[Manifest],
    refused: Problem | None,
    model: QwenModel,
    now: str,
    *,
    grace: int,
    may_wait: bool,
) -> Problem | None:
    """Why a revision has failed, or None while it may still come up.

    :param mine: its pods; none of them answers.
    :param refused: why no pod of it is made, if so.
    :param now: UTC time in RFC 3339; empty if nothing is to be judged by time.
    :param grace: seconds that pods which make room may take.
    :param may_wait: whether somebody is about to make room.
    """
    if refused and refused.reason in REFUSED_FOR_GOOD:
        return refused
    found = (_of_pod(pod, model, now, grace=grace, may_wait=may_wait) for pod in mine)
    return next((problem for problem in found if problem), None)


def seconds_left(pod: Manifest, model: QwenModel, now: str, *, grace: int) -> float | None:
    """Seconds after which time alone makes a failure of what a pod waits for, or None."""
    standing = _standing(pod, model, grace)
    return None if standing is None else standing[1] - _waited(pod, now)


def _of_pod(pod: Manifest, model: QwenModel, now: str, *, grace: int, may_wait: bool) -> Problem | None:
    ended = ending.server_ended(pod, model)
    if ended and (pods.endings(pod) >= ATTEMPTS or ended.reason is Reason.LOAD_STALLED):
        return ended
    standing = _standing(pod, model, grace)
    if standing is None:
        return None
    problem, limit = standing
    if problem.reason in AT_ONCE:
        return problem
    unplaced = pods.condition(pod, "PodScheduled").get("status") == "False"
    if not now or (unplaced and may_wait) or _waited(pod, now) < limit:
        return None
    return problem


def _standing(pod: Manifest, model: QwenModel, grace: int) -> tuple[Problem, int] | None:
    """What keeps a pod from starting, and for how many seconds it may."""
    limit = stall_timeout(model.spec)
    for cause in (kubelet.image_cannot_be_pulled, kubelet.container_cannot_be_created):
        if problem := cause(pod, model):
            return problem, limit
    unplaced = scheduler.no_node_was_found(pod, model)
    return (unplaced, limit + grace) if unplaced else None


def _waited(pod: Manifest, now: str) -> float:
    since = pods.condition(pod, "PodScheduled").get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]
    return between(since, now)
