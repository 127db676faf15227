"""Why weights do not come: in the words of the Job that fetches them, else what keeps its pod from running.

Why it exists: a person mends another thing for each of a wrong token, a full claim and a hub that limits requests, and
the Job tells them apart. It must never take the words of a run that another one has got over.
"""

from qwen_operator.core import pods
from qwen_operator.core.causes import ending, kubelet, scheduler
from qwen_operator.core.claims import is_of_one_node
from qwen_operator.core.excerpt import excerpt, last_words
from qwen_operator.core.place import place
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest

ATTACHING = 180.0
"""Seconds that a claim of one node may take to come to a Job's pod, and its small image with it: a volume that another
node has just let go of is attached anew in about a minute (six, after that node died)."""
PATIENCE = (ATTACHING, kubelet.PATIENCE)
"""Seconds of preparation after which something new is to be told of a Job's pod."""

SPOKEN = {
    reason.value: reason
    for reason in (
        Reason.INVALID_ARGUMENT,
        Reason.SOURCE_INVALID,
        Reason.SOURCE_UNAUTHORIZED,
        Reason.SOURCE_GATED,
        Reason.SOURCE_NOT_FOUND,
        Reason.REVISION_NOT_FOUND,
        Reason.NO_SAFETENSORS,
        Reason.MODEL_INVALID,
        Reason.MODEL_PATH_NOT_FOUND,
        Reason.NOT_VERIFIED,
        Reason.CHECKSUM_MISMATCH,
        Reason.RATE_LIMITED,
        Reason.SOURCE_UNREACHABLE,
        Reason.SOURCE_FAILED,
        Reason.DOWNLOAD_STALLED,
        Reason.OUT_OF_SPACE,
        Reason.FOLDER_NOT_WRITABLE,
        Reason.FOLDER_TAKEN,
        Reason.FETCH_FAILED,
    )
}
"""Reasons that the Job may give; `tests/contract` holds the two sides together."""


def fetch_is_stuck(pod: Manifest, model: QwenModel) -> Problem | None:
    """The Job's pod has failed and waits for its next attempt, or can't run at all."""
    causes = (_failed, kubelet.image_cannot_be_pulled, kubelet.container_cannot_be_created, scheduler.no_node_was_found)
    return next((problem for cause in causes if (problem := cause(pod, model))), None)


def image_is_stuck(pod: Manifest, model: QwenModel) -> Problem | None:
    """The pod that pulls an image in advance can't have it, or the image can't be run."""
    causes = (
        kubelet.image_cannot_be_pulled,
        kubelet.container_cannot_be_created,
        ending.server_ended,
        scheduler.no_node_was_found,
    )
    return None if pods.finished(pod) else next((found for cause in causes if (found := cause(pod, model))), None)


def volume_does_not_come(pod: Manifest, model: QwenModel, claim: Manifest | None, now: str) -> Problem | None:
    """The Job's pod has a node, and waits there for longer than an image and a claim take."""
    waited = kubelet.seconds_of_preparation(pod, now)
    if waited is None or waited < ATTACHING or not is_of_one_node(claim):
        return kubelet.preparation_takes_long(pod, model, now)
    facts = {"claim": place(model).claim, "pod": pods.name(pod), "namespace": model.metadata.namespace}
    return Reason.CLAIM_HELD_ELSEWHERE.about(node=pods.node(pod), minutes=int(ATTACHING // 60), **facts)


def _failed(pod: Manifest, model: QwenModel) -> Problem | None:
    ended = pods.ending(pod)
    if ended is None or ended.exit_code == 0 or pods.running(pod):
        return None
    said = ending.words(ended.message)
    facts = {"pod": pods.name(pod), "namespace": model.metadata.namespace, "uri": model.spec.model.uri}
    if said and (reason := SPOKEN.get(said.reason)):
        return reason.about(why=excerpt(said.message), **facts)
    if ended.reason == "OOMKilled":
        return Reason.FETCH_FAILED.about(why="It used more memory than it may.", **facts)
    why = last_words(ended.message) or f"It ended with exit code {ended.exit_code} and left no message."
    return Reason.FETCH_FAILED.about(why=why, **facts)
