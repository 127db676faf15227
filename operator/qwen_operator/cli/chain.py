"""From "not ready" down to the first cause: model, child, pod, container, and what was said there.

Why it exists: a condition names the cause, and a person also wants to see where it sits. The judgement is that of
`core.status`, made anew from what lives now. It must never judge by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qwen_operator.cli import remedies
from qwen_operator.cli.around import Around
from qwen_operator.core import acceptance, checks, names, pods, status, weights
from qwen_operator.core.causes import ending, fetching, kubelet
from qwen_operator.core.excerpt import excerpt
from qwen_operator.core.place import place
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import ON_THE_WAY, Problem, Reason
from qwen_operator.core.resource import InvalidResource, QwenModel, parse
from qwen_operator.core.resource.report import UNSEEN
from qwen_operator.core.snapshot import Manifest, Snapshot

REFUSED = frozenset({Reason.NAME_TAKEN, Reason.FORBIDDEN, Reason.API_REFUSED, Reason.NOT_RESTRICTED, Reason.API_FAILED})
"""What only the operator can know: why its own writes failed."""
CAUSES: tuple[Callable[[Manifest, QwenModel], Problem | None], ...] = (
    *checks.STUCK,
    fetching.fetch_is_stuck,
    kubelet.node_gave_the_pod_up,
    kubelet.pod_is_being_prepared,
)
"""Judgements about one pod, to find the pod that a judgement was about."""
BY_CLAIM = frozenset({Reason.CLAIM_PENDING, Reason.CLAIM_LOST, Reason.CLAIM_BEING_DELETED})


class Link(NamedTuple):
    """One step down."""

    kind: str
    name: str
    state: str
    """A few words."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Everything that `why` tells."""

    model: str
    namespace: str
    ready: bool
    passing: bool
    """Whether nothing is wrong and it only takes time, or rests as asked."""
    reason: str
    message: str
    links: tuple[Link, ...]
    commands: tuple[str, ...]
    unseen: tuple[str, ...] = field(default=())


def account(body: Manifest, around: Around, now: str) -> Account:
    """The chain of a model.

    :param body: the QwenModel as the API server has it.
    :param now: UTC time in RFC 3339 with seconds.
    """
    found = _judged(body, around, now)
    metadata = body["metadata"]
    passing = found.reason in ON_THE_WAY
    return Account(
        model=metadata["name"],
        namespace=metadata["namespace"],
        ready=found.ready,
        passing=passing,
        reason=found.reason,
        message=found.message,
        links=(_of_model(body, found), *(() if found.ready else found.links)),
        commands=() if found.ready else found.commands,
        unseen=tuple(around.unseen.values()),
    )


@dataclass(frozen=True, kw_only=True)
class _Finding:
    ready: bool
    reason: str
    message: str
    links: tuple[Link, ...] = ()
    commands: tuple[str, ...] = ()


def _judged(body: Manifest, around: Around, now: str) -> _Finding:
    try:
        model = parse(body)
    except InvalidResource as invalid:
        return _without_children(body, invalid.problem.reason, invalid.problem.message)
    said = model.status
    if said.get("observedGeneration", 0) < model.metadata.generation:
        where = f"generation {model.metadata.generation} of {model.metadata.name}"
        sentence = (
            f"No operator has looked at {where}: none runs, or it does not serve namespace {model.metadata.namespace}."
        )
        return _Finding(ready=False, reason=UNSEEN["reason"], message=sentence, commands=(remedies.OPERATOR,))
    refused = _condition(said, "Applied")
    if refused.get("status") == "False" and refused.get("reason") in REFUSED:
        return _without_children(body, refused["reason"], refused["message"])
    document = said if around.unseen else _anew(model, around, now)
    return _found(model, around, document)


def _anew(model: QwenModel, around: Around, now: str) -> Manifest:
    """The status as the operator would write it, from what lives now."""
    plan = Plan(problem=acceptance.obstacle(model, around.snapshot), held=_held(model, around.snapshot))
    return status.document(model, around.snapshot, plan, Outcome(), now)


def _held(model: QwenModel, seen: Snapshot) -> Problem | None:
    """Why a change waits, in the operator's own words: which template is asked for, its settings decide.

    An image that is pulled in advance has a Job for as long as the change waits for it, whatever is in its way.
    """
    told = _condition(model.status, "Progressing")
    reason = Reason.called(told.get("reason", ""))
    if reason and (reason in checks.SETTLED_HOLDS or any(map(pods.pulls, seen.jobs))):
        return Problem(reason, told["message"])
    return None


def _found(model: QwenModel, around: Around, document: Manifest) -> _Finding:
    reason, message = str(document["reason"]), str(document["message"])
    pod = _blamed(model, around, reason, message)
    fit = document.get("fit") or {}
    facts = {
        "model": model.metadata.name,
        "namespace": model.metadata.namespace,
        "claim": place(model).claim,
        "pod": pods.name(pod) if pod else "",
        "largest": fit.get("largestContext"),
        "needed": fit.get("gpusNeeded"),
    }
    return _Finding(
        ready=_condition(document, "Ready").get("status") == "True",
        reason=reason,
        message=message,
        links=tuple(_down(around, reason, pod)),
        commands=remedies.commands(reason, facts),
    )


def _without_children(body: Manifest, reason: str, message: str) -> _Finding:
    facts = {"model": body["metadata"]["name"], "namespace": body["metadata"]["namespace"]}
    return _Finding(ready=False, reason=reason, message=message, commands=remedies.commands(reason, facts))


def _blamed(model: QwenModel, around: Around, reason: str, message: str) -> Manifest | None:
    """The pod that a judgement was about: one that gives the same cause, or that the sentence names."""
    seen = around.snapshot
    candidates = (*weights.pods_at_work(model, seen), *pods.newest(seen.pods))
    for pod in candidates:
        if any(
            (found := cause(pod, model)) and found.reason == reason and found.message == message for cause in CAUSES
        ):
            return pod
    return next((pod for pod in (*candidates, *seen.pods) if pods.name(pod) in message), None)


def _of_model(body: Manifest, found: _Finding) -> Link:
    ready = "Ready" if found.ready else f"not ready: {found.reason}"
    return Link("QwenModel", body["metadata"]["name"], ready)


def _down(around: Around, reason: str, pod: Manifest | None) -> Iterator[Link]:
    """The links below the model."""
    seen = around.snapshot
    if pod is not None and pods.fetches(pod):
        yield Link("Job", pods.label(pod, names.JOB_NAME), "has not done its work")
    elif seen.deployment and reason not in {*REFUSED}:
        yield _of_deployment(seen.deployment)
        yield from _of_refusal(seen.deployment)
    if pod is not None:
        yield from _of_pod(pod)
        yield from _said(pod, around)
    if reason in BY_CLAIM and (claim := seen.claim):
        name = claim["metadata"]["name"]
        yield Link("PersistentVolumeClaim", name, claim.get("status", {}).get("phase", "unknown"))
        yield from _event(around, "PersistentVolumeClaim", name)


def _of_deployment(deployment: Manifest) -> Link:
    counts, wanted = deployment.get("status", {}), deployment.get("spec", {}).get("replicas", 1)
    state = f"{counts.get('readyReplicas', 0)} of {wanted} replicas answer"
    return Link("Deployment", deployment["metadata"]["name"], state)


def _of_refusal(deployment: Manifest) -> Iterator[Link]:
    for condition in deployment.get("status", {}).get("conditions", ()):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            yield Link("ReplicaSet", condition.get("reason", ""), excerpt(condition.get("message", "")))


def _of_pod(pod: Manifest) -> Iterator[Link]:
    said = pod.get("status", {})
    place = f"on {pods.node(pod)}" if pods.node(pod) else "on no node yet"
    reason = f" ({said['reason']})" if said.get("reason") else ""
    yield Link("Pod", pods.name(pod), f"{said.get('phase', 'Unknown')}{reason} {place}")
    container = pods.container(pod)
    if container:
        restarts = f", restarts: {pods.restarts(pod)}" if pods.restarts(pod) else ""
        yield Link("Container", container["name"], f"{_state(pod)}{restarts}")


def _state(pod: Manifest) -> str:
    ended = pods.ending(pod)
    if reason := pods.waiting(pod).get("reason"):
        last = f", last ended with exit code {ended.exit_code}" if ended else ""
        return f"waits: {reason}{last}"
    if pods.running(pod):
        return "runs" if pods.ready(pod) else "runs, not ready"
    return f"ended with exit code {ended.exit_code} ({ended.reason})" if ended else "not begun"


def _said(pod: Manifest, around: Around) -> Iterator[Link]:
    """The words at the bottom: of the server, the kubelet or the scheduler, else of the last event."""
    ended = None if pods.started(pod) else pods.ending(pod)
    scheduled = pods.condition(pod, "PodScheduled")
    if ended and ended.message:
        spoken = ending.words(ended.message)
        text = spoken.message if spoken else ended.message
        yield Link("Said", "by the process", excerpt(text))
    elif scheduled.get("status") == "False":
        yield Link("Said", "by the scheduler", excerpt(scheduled.get("message", "")))
    elif not ended and (
        text := pods.waiting(pod).get("message") or (pod["status"].get("message") if pods.finished(pod) else "")
    ):
        yield Link("Said", "by the kubelet", excerpt(str(text)))
    elif not ended and not pods.ready(pod):
        yield from _event(around, "Pod", pods.name(pod))


def _event(around: Around, kind: str, name: str) -> Iterator[Link]:
    """The newest warning about an object."""
    for event in reversed(around.events):
        about = event.get("involvedObject") or event.get("regarding") or {}
        if event.get("type") == "Warning" and (about.get("kind"), about.get("name")) == (kind, name):
            yield Link("Event", event.get("reason", ""), excerpt(event.get("message", "")))
            return


def _condition(document: Manifest, kind: str) -> Any:
    return next((each for each in document.get("conditions") or () if each.get("type") == kind), {})
