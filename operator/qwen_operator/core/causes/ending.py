"""Why the server ended: in its own words if it left any, else by the exit code.

Why it exists: the server writes one line of JSON as its termination message (reason and sentence); when it could not,
the kubelet keeps the end of the log instead. The engine's own last error reaches the person this way. It must never
hold more of a log than one scrubbed line.
"""

import msgspec

from qwen_operator.core import pods
from qwen_operator.core.excerpt import excerpt, last_words
from qwen_operator.core.pods import Ending
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import key_secret
from qwen_operator.core.snapshot import Manifest

KILLED = 128 + 9
"""Exit code of a process that got SIGKILL."""

NEVER_BEGAN = frozenset({"StartError", "ContainerCannotRun"})
"""The runtime's words for a container whose process could not be started; the message is the runtime's own."""

SPOKEN = {
    reason.value: reason
    for reason in (
        Reason.MODEL_PATH_NOT_FOUND,
        Reason.MODEL_INVALID,
        Reason.NO_USABLE_KEY,
        Reason.CONTEXT_TOO_LONG,
        Reason.INVALID_ARGUMENT,
        Reason.KV_CACHE_TOO_SMALL,
        Reason.GPU_OUT_OF_MEMORY_LOADING,
        Reason.GPU_OUT_OF_MEMORY_WARMING,
        Reason.GPU_MEMORY_TAKEN,
        Reason.TENSOR_SIZE_NOT_DIVISIBLE,
        Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE,
        Reason.GPU_TOO_OLD,
        Reason.UNSUPPORTED_QUANTIZATION,
        Reason.UNSUPPORTED_ARCHITECTURE,
        Reason.CORRUPT_WEIGHTS,
        Reason.DRIVER_TOO_OLD,
        Reason.NO_DRIVER,
        Reason.SHARED_MEMORY_TOO_SMALL,
        Reason.NCCL_ERROR,
        Reason.CUDA_ERROR,
        Reason.ENGINE_START_FAILED,
        Reason.LOAD_STALLED,
        Reason.ENGINE_DEAD,
    )
}
"""Reasons that the server may give; `tests/contract` holds the two sides together."""

OF_WEIGHTS = frozenset({Reason.MODEL_PATH_NOT_FOUND, Reason.MODEL_INVALID, Reason.CORRUPT_WEIGHTS})
"""Reasons that are about the model's files."""

OF_AN_ENDING = frozenset(
    {*SPOKEN.values(), Reason.HOST_OUT_OF_MEMORY, Reason.CONTAINER_CREATE_FAILED, Reason.KILLED, Reason.CRASH_LOOP}
)
"""Every reason that this module finds."""

NO_RECORD = "the node kept no record of it."
NO_MESSAGE = "it left no message."


class Words(msgspec.Struct, frozen=True):
    """The server's termination message."""

    reason: str
    message: str = ""


def words(message: str) -> Words | None:
    """The server's own words, or None if the text is something else."""
    try:
        return msgspec.json.decode(message, type=Words)
    except (msgspec.DecodeError, UnicodeError):
        return None


def server_ended(pod: Manifest, model: QwenModel) -> Problem | None:
    """The container ended, now or before its last restart, and has not started since."""
    if pods.started(pod):
        return None
    ending = pods.ending(pod)
    if ending is None:
        return _forgotten(pod, model)
    reason, why = cause(ending)
    return reason.about(why=why, **_facts(pod, model), code=ending.exit_code)


def _forgotten(pod: Manifest, model: QwenModel) -> Problem | None:
    """The container was restarted, and the kubelet does not know why any more (kubernetes/kubernetes#101044).

    What the status says of an ending stands then: it was judged while the record was there. Not so a sentence about
    another pod.
    """
    if not pods.restarts(pod):
        return None
    message = model.status.get("message", "")
    said = next((reason for reason in OF_AN_ENDING if reason == model.status.get("reason")), None)
    if said and (pods.name(pod) in message or "{pod}" not in said.text):
        return Problem(said, message)
    return Reason.CRASH_LOOP.about(why=NO_RECORD, **_facts(pod, model), code="unknown")


def _facts(pod: Manifest, model: QwenModel) -> dict[str, object]:
    return {
        "pod": pods.name(pod),
        "namespace": model.metadata.namespace,
        "uri": model.spec.model.uri,
        "secret": key_secret(model),
        "restarts": pods.restarts(pod),
        "limit": _limit(pod),
    }


def cause(ending: Ending) -> tuple[Reason, str]:
    """The reason of an ending, and its own words; these may be empty."""
    if ending.reason == "OOMKilled":
        return Reason.HOST_OUT_OF_MEMORY, ""
    if ending.reason in NEVER_BEGAN:
        return Reason.CONTAINER_CREATE_FAILED, excerpt(ending.message)
    said = words(ending.message)
    if said and (reason := SPOKEN.get(said.reason)):
        return reason, excerpt(said.message)
    why = excerpt(said.message) if said else last_words(ending.message)
    if ending.exit_code == KILLED:
        return Reason.KILLED, why or NO_MESSAGE
    return Reason.CRASH_LOOP, why or NO_MESSAGE


def _limit(pod: Manifest) -> str:
    containers = pod.get("spec", {}).get("containers", [{}])
    return str(containers[0].get("resources", {}).get("limits", {}).get("memory", "none of its own; the node's"))
