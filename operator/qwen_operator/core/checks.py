"""Chains of judgements: evidence in, the first problem out. A condition is what its chain says.

Why it exists: each judgement is one assertion that can be read and tested alone, and a chain states which of two true
things a person is told. It must never look further than its evidence.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from qwen_operator.core import names, pods, weights
from qwen_operator.core.causes import ending, fetching, kubelet, replicaset, scheduler
from qwen_operator.core.fitting import Fitting, gate
from qwen_operator.core.place import mark, place
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.revisions import observed
from qwen_operator.core.serving import grace_period, replicas
from qwen_operator.core.snapshot import Manifest, Snapshot


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that is known about a model after its plan was carried out."""

    model: QwenModel
    seen: Snapshot
    obstacle: Problem | None
    """Why the spec can't be served, from the plan."""
    fit: Fitting
    """Whether it fits."""
    refused: tuple[Problem, ...]
    """Why steps of the plan failed."""
    held: Problem | None = None
    """Why replicas are not of the template that is asked for, from the plan."""
    now: str


Judgement = Callable[[Evidence], Problem | None]
OfPod = Callable[[Manifest, QwenModel], Problem | None]

STUCK: tuple[OfPod, ...] = (
    ending.server_ended,
    kubelet.image_cannot_be_pulled,
    kubelet.container_cannot_be_created,
    scheduler.no_node_was_found,
)
"""What a pod does not get over by waiting, most telling first."""


SETTLED_HOLDS = frozenset({Reason.ROLLED_BACK, Reason.WAITING_FOR_DELETION})
"""Reasons for which a change waits and that stay until a person does something."""

SHORTAGES = frozenset({Reason.INSUFFICIENT_GPU, Reason.INSUFFICIENT_CPU_OR_MEMORY})
"""What a pod that leaves may mend for one that waits."""


def first(evidence: Evidence, chain: tuple[Judgement, ...]) -> Problem | None:
    """The first problem that a judgement of the chain finds."""
    return next((problem for judge in chain if (problem := judge(evidence))), None)


def spec_cannot_be_served(evidence: Evidence) -> Problem | None:
    """The spec, or what it refers to, keeps the model from being served."""
    return evidence.obstacle


def model_does_not_fit(evidence: Evidence) -> Problem | None:
    """The numbers say that no replica would start, and the spec asks to be kept from it."""
    return gate(evidence.model.spec, evidence.fit)


def a_write_was_refused(evidence: Evidence) -> Problem | None:
    """The API server, or the rule that we touch nothing of somebody else's, refused a child."""
    return next(iter(evidence.refused), None)


def model_is_suspended(evidence: Evidence) -> Problem | None:
    """No replica is asked for, by the switch."""
    return Reason.SUSPENDED.about() if evidence.model.spec.suspend else None


def no_replica_is_asked_for(evidence: Evidence) -> Problem | None:
    """No replica is asked for, by number."""
    return None if replicas(evidence.model.spec) else Reason.SCALED_TO_ZERO.about()


def a_replica_waits_for_its_predecessor(evidence: Evidence) -> Problem | None:
    """A new pod finds no room because the one it replaces still finishes requests on the same GPUs.

    One that should have ended by now frees nothing: its node is gone.
    """
    leaving = sorted(pods.name(pod) for pod in evidence.seen.pods if pods.seconds_to_end(pod, evidence.now))
    found = ((pod, scheduler.no_node_was_found(pod, evidence.model)) for pod in _unready(evidence))
    short = [pods.name(pod) for pod, problem in found if problem and problem.reason in SHORTAGES]
    if not leaving or not short:
        return None
    return Reason.REPLACING.about(pod=short[0], leaving=leaving[0], seconds=grace_period(evidence.model.spec))


def a_replica_is_stuck(evidence: Evidence) -> Problem | None:
    """A pod can't go on by itself: the most telling cause over all of them."""
    unready = _unready(evidence)
    found = (problem for cause in STUCK for pod in unready if (problem := cause(pod, evidence.model)))
    return next(found, None)


def a_node_gave_a_replica_up(evidence: Evidence) -> Problem | None:
    """A pod failed as a whole, and no successor has come as far as having a container.

    A failed pod stays listed for long: it is history once a younger one is ready, or all replicas are there again.
    """
    newest = pods.newest(evidence.seen.pods)
    there = [pod for pod in newest if pods.container(pod) and not pods.finished(pod)]
    if len(there) >= replicas(evidence.model.spec) or any(not pods.ready(pod) for pod in there):
        return None
    failed = itertools.takewhile(lambda pod: not pods.ready(pod), newest)
    return next((problem for pod in failed if (problem := kubelet.node_gave_the_pod_up(pod, evidence.model))), None)


def nobody_looks_for_a_node(evidence: Evidence) -> Problem | None:
    """A pod's scheduler says nothing."""
    found = (scheduler.nobody_looks_for_a_node(pod, evidence.model, evidence.now) for pod in _unready(evidence))
    return next((problem for problem in found if problem), None)


def preparation_takes_long(evidence: Evidence) -> Problem | None:
    """A pod's node has been at it for long."""
    found = (kubelet.preparation_takes_long(pod, evidence.model, evidence.now) for pod in _unready(evidence))
    return next((problem for problem in found if problem), None)


def the_fetch_is_stuck(evidence: Evidence) -> Problem | None:
    """Weights that replicas wait for do not come: the pod of the Job that counts has failed, or can't run."""
    return None if weights.are_there(evidence.model, evidence.seen) else _stuck_at_weights(evidence)


def the_look_is_stuck(evidence: Evidence) -> Problem | None:
    """Nobody waits for the Job that looks at the weights, and it tells nothing."""
    return _stuck_at_weights(evidence) if weights.is_looked_at(evidence.model, evidence.seen) else None


def _stuck_at_weights(evidence: Evidence) -> Problem | None:
    of_present = weights.pods_at_work(evidence.model, evidence.seen)
    found = (fetching.fetch_is_stuck(pod, evidence.model) for pod in of_present)
    late = (fetching.volume_does_not_come(pod, evidence.model, evidence.seen.claim, evidence.now) for pod in of_present)
    return next((problem for problem in (*found, *late) if problem), None)


def weights_are_on_their_way(evidence: Evidence) -> Problem | None:
    """A Job asks for them, fetches them or looks at them, and replicas wait for it."""
    model, seen = evidence.model, evidence.seen
    if weights.are_there(model, seen):
        return None
    if not place(model).fetched:
        return weights_are_looked_at(evidence)
    asks = weights.size(model, seen) is None and place(model).made
    return _by_a_job(evidence, "measure", Reason.MEASURING) if asks else _by_a_job(evidence, "fetch", Reason.FETCHING)


def weights_are_looked_at(evidence: Evidence) -> Problem | None:
    """A Job looks at what somebody else has put on a claim."""
    model, seen = evidence.model, evidence.seen
    there = weights.is_awaited(model, seen) or weights.job(model, seen, "describe") is not None
    looks = there and weights.is_unheard(model, seen)
    return _by_a_job(evidence, "describe", Reason.DESCRIBING) if looks else None


def _by_a_job(evidence: Evidence, verb: str, reason: Reason) -> Problem:
    model = evidence.model
    facts = {"uri": model.spec.model.uri, "claim": place(model).claim, "namespace": model.metadata.namespace}
    return reason.about(job=names.weights_job(model.metadata.name, verb, mark(model)), **facts)


def pods_are_refused(evidence: Evidence) -> Problem | None:
    """The ReplicaSet may not make pods."""
    return replicaset.pods_are_refused(evidence.seen.deployment, evidence.model)


def a_pod_is_being_prepared(evidence: Evidence) -> Problem | None:
    """A pod waits for its image, its volumes or its network."""
    found = (kubelet.pod_is_being_prepared(pod, evidence.model) for pod in _unready(evidence))
    return next((problem for problem in found if problem), None)


def an_engine_is_starting(evidence: Evidence) -> Problem | None:
    """A server runs and loads its model."""
    loading = (pods.name(pod) for pod in _unready(evidence) if pods.running(pod) and not pods.started(pod))
    return _about_pod(Reason.STARTING, next(loading, None), evidence)


def a_started_replica_is_not_ready(evidence: Evidence) -> Problem | None:
    """A server has loaded its model once and does not answer now."""
    silent = (pods.name(pod) for pod in _unready(evidence) if pods.running(pod) and pods.started(pod))
    return _about_pod(Reason.NOT_READY, next(silent, None), evidence)


def a_change_is_held(evidence: Evidence) -> Problem | None:
    """Replicas are not what was asked for last, for a reason of its own."""
    return evidence.held


def an_image_is_not_there_yet(evidence: Evidence) -> Problem | None:
    """A change waits for its image, whether it comes or not; what its pods say meanwhile is a consequence."""
    held = evidence.held
    return None if held is None or held.reason in SETTLED_HOLDS else held


def rollout_is_not_complete(evidence: Evidence) -> Problem | None:
    """Not every replica runs what was asked for last, or not every one answers (as kstatus judges a Deployment)."""
    wanted, deployment = replicas(evidence.model.spec), evidence.seen.deployment or {}
    status = deployment.get("status", {})
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    seen = observed(deployment)
    if seen and status.get("replicas", 0) == updated == wanted == min(ready, status.get("availableReplicas", 0)):
        return None
    return Reason.ROLLING_OUT.about(updated=updated if seen else 0, wanted=wanted, ready=ready)


def _about_pod(reason: Reason, pod: str | None, evidence: Evidence) -> Problem | None:
    return reason.about(pod=pod, namespace=evidence.model.metadata.namespace) if pod else None


def _unready(evidence: Evidence) -> tuple[Manifest, ...]:
    newest = pods.newest(evidence.seen.pods)
    return tuple(pod for pod in newest if not pods.ready(pod) and not pods.finished(pod))


ASKED: tuple[Judgement, ...] = (spec_cannot_be_served, model_does_not_fit, a_write_was_refused)
"""What is wrong with what was asked."""

RESTING: tuple[Judgement, ...] = (model_is_suspended, no_replica_is_asked_for)
"""Why nothing runs, as asked."""

WEIGHTS: tuple[Judgement, ...] = (the_fetch_is_stuck, weights_are_on_their_way)
"""Why weights that somebody has to bring are not there."""

LOOKING: tuple[Judgement, ...] = (the_look_is_stuck, weights_are_looked_at)
"""Why nobody has told yet what a claim holds."""

FAILING: tuple[Judgement, ...] = (
    the_fetch_is_stuck,
    an_image_is_not_there_yet,
    a_replica_waits_for_its_predecessor,
    a_replica_is_stuck,
    pods_are_refused,
    a_node_gave_a_replica_up,
    nobody_looks_for_a_node,
    preparation_takes_long,
)
"""What keeps replicas from serving; some of it may pass."""

MOVING: tuple[Judgement, ...] = (
    weights_are_on_their_way,
    a_pod_is_being_prepared,
    an_engine_is_starting,
    a_started_replica_is_not_ready,
    rollout_is_not_complete,
)
"""What is on its way."""
