"""The status document, and when to look again.

Why it exists: everything a person sees of a model in `kubectl get` is worked out here, from one snapshot taken after
the steps were done. It must never drive what the operator does next.
"""

from typing import Any

import msgspec

from qwen_operator.core import checks, fitting, history, names, pods, rollout, weights
from qwen_operator.core.causes import ending, fetching, kubelet, scheduler
from qwen_operator.core.checks import Evidence
from qwen_operator.core.fit.verdict import Verdict as FitVerdict
from qwen_operator.core.place import place
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.progress import furthest_behind
from qwen_operator.core.remembered import remembered
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.report import (
    LONGEST_MESSAGE,
    Condition,
    ConditionStatus,
    ConditionType,
    Endpoint,
    Failure,
    Loading,
    Status,
    Timings,
)
from qwen_operator.core.serving import devices, replicas, served_name
from qwen_operator.core.snapshot import Manifest, Snapshot

Verdict = tuple[ConditionStatus, Problem]

DELAYS: dict[Reason, ConditionStatus] = {
    Reason.REPLACING: "True",
    Reason.PULLING_IMAGE: "True",
    Reason.WAITING_FOR_NODE: "Unknown",
}
"""Problems that do pass, or may pass, by themselves: whether something is still moving."""

FITS: dict[FitVerdict, ConditionStatus] = {
    FitVerdict.FITS: "True",
    FitVerdict.TIGHT: "True",
    FitVerdict.DOES_NOT_FIT: "False",
    FitVerdict.UNKNOWN: "Unknown",
}
"""Status of the condition of that name."""


def document(model: QwenModel, seen: Snapshot, plan: Plan, outcome: Outcome, now: str) -> dict[str, Any]:
    """The whole `status` of a model.

    :param seen: as the caches stand *after* the plan's steps were taken, answers of the API server included.
    :param now: UTC time in RFC 3339 with seconds, such as 2026-11-23T12:00:00Z.
    """
    refused = tuple(problem for _, problem in outcome.failures)
    fit = plan.fit or fitting.fitting(model, weights.told(model, seen), seen.nodes)
    evidence = Evidence(
        model=model, seen=seen, obstacle=plan.problem, fit=fit, refused=refused, held=plan.held, now=now
    )
    verdicts: dict[ConditionType, Verdict] = {
        "Accepted": _accepted(evidence),
        "Fits": _fits(evidence),
        "WeightsReady": _weights_ready(evidence),
        "Applied": _applied(evidence),
        "Available": _available(evidence),
        "Progressing": _progressing(evidence),
        "Ready": _ready(evidence),
    }
    gpus = devices(model.spec)
    counts = (seen.deployment or {}).get("status", {})
    ready = counts.get("readyReplicas", 0)
    return _written(
        model.metadata.generation,
        conditions=_conditions(verdicts, model.metadata.generation, model.status, now),
        replicas=counts.get("replicas", 0),
        ready_replicas=ready,
        updated_replicas=counts.get("updatedReplicas", 0),
        replica_summary=f"{ready}/{replicas(model.spec)}",
        selector=",".join(f"{label}={value}" for label, value in names.selector(model.metadata.name).items()),
        gpus=gpus.count if gpus else 0,
        progress=loading(seen),
        last_failure=history.last_failure(model, seen),
        timings=history.timings(model, seen),
        revision=history.revision(model, seen),
        weights=weights.summary(model, seen),
        fit=fitting.report(fit),
        measured=history.measured(model, seen, fit.layout, complete=checks.rollout_is_not_complete(evidence) is None),
        endpoint=endpoint(model),
    )


def unreadable(body: Manifest, problem: Problem, now: str) -> dict[str, Any]:
    """The whole `status` of an object that `resource.parse` refused; its children are left as they are."""
    unknown: Verdict = ("Unknown", problem)
    verdicts: dict[ConditionType, Verdict] = {
        "Accepted": ("False", problem),
        "Fits": unknown,
        "WeightsReady": unknown,
        "Applied": ("False", problem),
        "Available": unknown,
        "Progressing": unknown,
        "Ready": ("False", problem),
    }
    generation, before = body.get("metadata", {}).get("generation", 0), body.get("status") or {}
    return _written(
        generation,
        conditions=_conditions(verdicts, generation, before, now),
        last_failure=remembered(before, Failure, "lastFailure"),
        timings=remembered(before, Timings, "timings"),
    )


def look_again(model: QwenModel, seen: Snapshot, now: str) -> float | None:
    """Seconds after which time alone may change the status, or None if only an event can."""
    left = [kubelet.PATIENCE - waited for waited in _preparing(seen.pods, now)]
    left += [limit - waited for limit in fetching.PATIENCE for waited in _preparing(seen.fetchers, now)]
    silent = (scheduler.seconds_of_silence(pod, now) for pod in pods.newest(seen.pods))
    left += [scheduler.PATIENCE - waited for waited in silent if waited is not None]
    left += [pods.seconds_to_end(pod, now) for pod in seen.pods]
    left += rollout.seconds_left(model, seen, now)
    return min((seconds for seconds in left if seconds > 0), default=None)


def _preparing(of: tuple[Manifest, ...], now: str) -> list[float]:
    """Seconds that nodes have prepared these pods."""
    found = (kubelet.seconds_of_preparation(pod, now) for pod in pods.newest(of))
    return [waited for waited in found if waited is not None]


def endpoint(model: QwenModel) -> Endpoint:
    """How to call the model."""
    name, namespace, port = names.service(model.metadata.name), model.metadata.namespace, model.spec.service.port
    return Endpoint(
        url=f"http://{name}.{namespace}.svc:{port}/v1",
        model_id=served_name(model),
        port_forward=f"kubectl port-forward -n {namespace} service/{name} {names.API_PORT}:{port}",
    )


def loading(seen: Snapshot) -> Loading | None:
    """How far the replica is that has loaded least, or None if none loads."""
    said = furthest_behind(seen.loads)
    if said is None:
        return None
    return Loading(
        summary=said.summary,
        stage=said.stage,
        bytes_done=said.bytes_done,
        bytes_total=said.bytes_total,
        percent=None if said.percent is None else int(said.percent),
        seconds_left=None if said.seconds_left is None else int(said.seconds_left),
    )


def _accepted(evidence: Evidence) -> Verdict:
    problem = checks.spec_cannot_be_served(evidence)
    return ("False", problem) if problem else ("True", Reason.ACCEPTED.about())


def _fits(evidence: Evidence) -> Verdict:
    """The answer or, where only the model's facts are missing, why they are."""
    found = evidence.fit
    looking = checks.first(evidence, checks.LOOKING) if found.problem.reason is Reason.MODEL_FACTS_UNKNOWN else None
    return FITS[found.verdict], looking or found.problem


def _weights_ready(evidence: Evidence) -> Verdict:
    """Of files that we bring, the Job's word; of others the server's and, before it, that of whoever looked at them."""
    model, seen = evidence.model, evidence.seen
    if missing := checks.first(evidence, (checks.spec_cannot_be_served, *checks.WEIGHTS)):
        return "False", missing
    uri, known = model.spec.model.uri, weights.summary(model, seen)
    if known and place(model).fetched:
        facts = {"files": known.files, "gigabytes": f"{known.bytes / 1e9:.1f}", "commit": known.commit[:12]}
        return "True", Reason.WEIGHTS_VERIFIED.about(uri=uri, **facts)
    stuck = checks.a_replica_is_stuck(evidence)
    if stuck and stuck.reason in ending.OF_WEIGHTS:
        return "False", stuck
    if any(pods.ready(pod) for pod in pods.newest(seen.pods)):
        return "True", Reason.WEIGHTS_USED.about(uri=uri)
    if known:
        return "True", Reason.WEIGHTS_FOUND.about(uri=uri, files=known.files, gigabytes=f"{known.bytes / 1e9:.1f}")
    return "Unknown", Reason.WEIGHTS_UNCHECKED.about(uri=uri)


def _applied(evidence: Evidence) -> Verdict:
    problem = checks.first(evidence, checks.ASKED)
    return ("False", problem) if problem else ("True", Reason.APPLIED.about())


def _available(evidence: Evidence) -> Verdict:
    ready = (evidence.seen.deployment or {}).get("status", {}).get("readyReplicas", 0)
    if ready:
        return "True", Reason.SERVING.about(ready=ready, wanted=replicas(evidence.model.spec))
    return "False", _why_not(evidence)


def _progressing(evidence: Evidence) -> Verdict:
    """Whether something moves: not while stuck, not at rest, not when all is done."""
    standing = checks.first(evidence, (*checks.ASKED, *checks.FAILING))
    again = checks.an_engine_is_starting(evidence)
    if standing and again and standing.reason in ending.OF_AN_ENDING:
        return "True", again
    if standing:
        return DELAYS.get(standing.reason, "False"), standing
    moving = checks.first(evidence, checks.MOVING)
    if moving:
        return "True", moving
    return "False", checks.first(evidence, (*checks.RESTING, checks.a_change_is_held)) or Reason.SETTLED.about()


def _ready(evidence: Evidence) -> Verdict:
    unsettled = (checks.a_change_is_held, checks.rollout_is_not_complete)
    if checks.first(evidence, (*checks.ASKED, *checks.RESTING, *checks.WEIGHTS, *unsettled)):
        return "False", _why_not(evidence)
    url = endpoint(evidence.model).url
    return "True", Reason.READY.about(model=served_name(evidence.model), url=url)


def _why_not(evidence: Evidence) -> Problem:
    """The one thing to tell about a model that does not serve, or not all of it."""
    chain = (*checks.ASKED, *checks.RESTING, *checks.FAILING, checks.a_change_is_held, *checks.MOVING)
    return checks.first(evidence, chain) or Reason.SETTLED.about()


def _conditions(verdicts: dict[ConditionType, Verdict], generation: int, before: Manifest, now: str) -> list[Condition]:
    """All conditions, always. A time changes only with its condition's status."""
    old = {condition.type: condition for condition in history.conditions(before)}
    return [
        Condition(
            type=kind,
            status=status,
            reason=problem.reason,
            message=problem.message[:LONGEST_MESSAGE],
            observed_generation=generation,
            last_transition_time=_since(old.get(kind), status, now),
        )
        for kind, (status, problem) in verdicts.items()
    ]


def _since(before: Condition | None, status: ConditionStatus, now: str) -> str:
    return before.last_transition_time if before and before.status == status else now


def _written(generation: int, *, conditions: list[Condition], **fields: Any) -> dict[str, Any]:
    ready = conditions[-1]
    status = Status(
        observed_generation=generation, reason=ready.reason, message=ready.message, conditions=conditions, **fields
    )
    written: dict[str, Any] = msgspec.to_builtins(status)
    return written
