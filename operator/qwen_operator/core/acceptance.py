"""Whether a model can be served at all: what its spec asks for and what that refers to.

Why it exists: a pod that can only wait in vain is better not made, since on a GPU it keeps others out. It must never
judge what time may mend by itself, such as a claim that waits for its first pod to be bound.
"""

from qwen_operator.core.place import place
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Snapshot


def obstacle(model: QwenModel, seen: Snapshot) -> Problem | None:
    """The first thing that keeps the model from being served, or None."""
    judgements = (claim_is_missing, claim_has_lost_its_volume, claim_is_being_deleted)
    return next((problem for judge in judgements if (problem := judge(model, seen))), None)


def claim_is_missing(model: QwenModel, seen: Snapshot) -> Problem | None:
    """The claim that the spec names does not exist."""
    there = place(model)
    if seen.claim is not None or there.made or there.image:
        return None
    return Reason.CLAIM_NOT_FOUND.about(claim=there.claim, namespace=model.metadata.namespace)


def claim_has_lost_its_volume(model: QwenModel, seen: Snapshot) -> Problem | None:
    """The claim was bound once and its PersistentVolume is gone."""
    claim = seen.claim or {}
    if claim.get("status", {}).get("phase") != "Lost":
        return None
    volume = claim.get("spec", {}).get("volumeName", "")
    return Reason.CLAIM_LOST.about(claim=place(model).claim, volume=volume)


def claim_is_being_deleted(model: QwenModel, seen: Snapshot) -> Problem | None:
    """The claim only lives on until its last pod ends; the scheduler places no other pod that uses it."""
    if not (seen.claim or {}).get("metadata", {}).get("deletionTimestamp"):
        return None
    return Reason.CLAIM_BEING_DELETED.about(claim=place(model).claim)
