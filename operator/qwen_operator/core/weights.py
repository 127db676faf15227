"""What the Jobs about weights have brought about: how much there is, what it is, and whether all of it may be served.

Why it exists: plan, checks and status ask the same questions about the same Jobs. It must never take a Job's word for
another source than the model's present one.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from qwen_operator.core import names, pods, question
from qwen_operator.core.fit.facts import LONGEST_REPORT
from qwen_operator.core.place import mark, place
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.progress import Bytes
from qwen_operator.core.quantity import canonical
from qwen_operator.core.remembered import remembered
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.report import Weights
from qwen_operator.core.running import runs_from
from qwen_operator.core.snapshot import Manifest, Snapshot

SPARE = 1.1
"""Room on a claim that is made, as a multiple of the weights' bytes: file systems need some for themselves."""

GIB = 2**30


class Report(msgspec.Struct, frozen=True):
    """A Job's last words after a success; whatever else they say is for others.

    The bounds are those of the status that they go into: a pod must not be able to make that impossible to write.
    """

    commit: Annotated[str, Meta(max_length=64)]
    bytes: Bytes
    files: Annotated[int, Meta(ge=0, le=2**31 - 1)]


def job(model: QwenModel, seen: Snapshot, verb: str) -> Manifest | None:
    """The Job of this kind for the model's present source, if there is one.

    :param verb: `measure`, `fetch` or `describe`.
    """
    wanted = names.weights_job(model.metadata.name, verb, mark(model))
    return next((each for each in seen.jobs if each["metadata"]["name"] == wanted), None)


def jobs_of_others(model: QwenModel, seen: Snapshot) -> tuple[Manifest, ...]:
    """Jobs that are about an earlier source of the model, or tell what nobody asks any more."""
    about_weights = (each for each in seen.jobs if pods.fetches(each))
    wanted = _job_names(model, seen)
    return tuple(each for each in about_weights if each["metadata"]["name"] not in wanted)


def _job_names(model: QwenModel, seen: Snapshot) -> frozenset[str]:
    verbs = ("measure", "fetch") if place(model).fetched else ("describe",) if is_looked_at(model, seen) else ()
    return frozenset(names.weights_job(model.metadata.name, verb, mark(model)) for verb in verbs)


def complete(found: Manifest | None) -> bool:
    """Whether a Job has done its work."""
    conditions = (found or {}).get("status", {}).get("conditions", ())
    return any(each.get("type") == "Complete" and each.get("status") == "True" for each in conditions)


def are_there(model: QwenModel, seen: Snapshot) -> bool:
    """Whether replicas may start: all files are verified or, of somebody else's, as well known as is asked for."""
    if not place(model).fetched:
        return not is_awaited(model, seen)
    return seen.claim is not None and complete(job(model, seen, "fetch"))


def is_looked_at(model: QwenModel, seen: Snapshot) -> bool:
    """Whether a Job is to look at files that somebody else has brought, so that they can be judged.

    One that is there already goes on while no node tells of its GPUs.
    """
    if place(model).fetched:
        return False
    asked = question.gpu(model.spec, seen.nodes)
    if not isinstance(asked, Problem):
        return True
    return asked.reason is Reason.GPU_MEMORY_UNKNOWN and job(model, seen, "describe") is not None


def is_unheard(model: QwenModel, seen: Snapshot) -> bool:
    """Whether that Job is to tell what nobody knows yet; what it can't read is no better the next time."""
    return is_looked_at(model, seen) and told(model, seen) is None and not has_spoken(model, seen, "describe")


def is_awaited(model: QwenModel, seen: Snapshot) -> bool:
    """Whether replicas wait for that Job's word; those that run from there already have no need of it."""
    if model.spec.validation.fit != "Enforce" or runs_from(seen.deployment, place(model)):
        return False
    return is_unheard(model, seen)


def is_lost(model: QwenModel, seen: Snapshot, verb: str) -> bool:
    """Whether a Job has done its work and nobody has heard what it said: its pod is gone, and no status tells."""
    wanted = names.weights_job(model.metadata.name, verb, mark(model))
    there = any(pods.label(pod, names.JOB_NAME) == wanted for pod in seen.fetchers)
    return complete(job(model, seen, verb)) and not there and summary(model, seen) is None


def has_spoken(model: QwenModel, seen: Snapshot, verb: str) -> bool:
    """Whether a pod of that Job has ended well, whatever it said."""
    return any(True for _ in _last_words(model, seen, verb))


def summary(model: QwenModel, seen: Snapshot) -> Weights | None:
    """What is known of the weights: from a pod that has ended, else as the status has kept it for this source."""
    for verb in ("fetch", "measure") if place(model).fetched else ("describe",):
        for message in _last_words(model, seen, verb):
            if (found := _read(model.spec.model.uri, message)) is not None:
                return found
    return _kept(model)


def told(model: QwenModel, seen: Snapshot) -> str | None:
    """What a Job said of the model's configuration and tensors (`fit.facts`), or None if none has."""
    known = summary(model, seen)
    return known.facts if known else None


def size(model: QwenModel, seen: Snapshot) -> str | None:
    """Size of the claim that is made, canonical, or None while nobody knows: as asked, else in whole GiB with spare."""
    if (asked := model.spec.cache.size) is not None:
        return canonical(asked)
    known = summary(model, seen)
    return None if known is None else canonical(f"{int(known.bytes * SPARE) // GIB + 1}Gi")


def pods_at_work(model: QwenModel, seen: Snapshot) -> tuple[Manifest, ...]:
    """Pods of the Jobs for the present source that have not done their work, youngest first."""
    of_present = _job_names(model, seen)
    unfinished = (pod for pod in pods.newest(seen.fetchers) if pod.get("status", {}).get("phase") != "Succeeded")
    return tuple(pod for pod in unfinished if pods.label(pod, names.JOB_NAME) in of_present)


def _last_words(model: QwenModel, seen: Snapshot, verb: str) -> Iterator[str]:
    wanted = names.weights_job(model.metadata.name, verb, mark(model))
    for pod in seen.fetchers:
        ended = pods.ending(pod)
        if pods.label(pod, names.JOB_NAME) == wanted and ended and ended.exit_code == 0:
            yield ended.message


def _read(uri: str, message: str) -> Weights | None:
    try:
        found = msgspec.json.decode(message[:LONGEST_REPORT], type=Report)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return Weights(source=uri, commit=found.commit, bytes=found.bytes, files=found.files, facts=message)


def _kept(model: QwenModel) -> Weights | None:
    known = remembered(model.status, Weights, "weights")
    return known if known and known.source == model.spec.model.uri else None
