"""Wanted against living: the steps that make them agree, each with its reason in words.

Why it exists: what is going to be written can be printed, tested and counted before anything is. It must never read a
cluster or know how a step is done.
"""

from dataclasses import dataclass

from qwen_operator.core import acceptance, bringing, fencing, pods, pulling, running, weights
from qwen_operator.core.causes import ending
from qwen_operator.core.desired.deployment import deployment
from qwen_operator.core.desired.disruption_budget import disruption_budget
from qwen_operator.core.desired.image_job import image_job
from qwen_operator.core.desired.key_secret import key_secret
from qwen_operator.core.desired.network_policy import network_policy
from qwen_operator.core.desired.service import service
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.fit.verdict import Verdict
from qwen_operator.core.fitting import Fitting, fitting, gate, proven
from qwen_operator.core.kinds import DEPLOYMENT, DISRUPTION_BUDGET, JOB, NETWORK_POLICY, SECRET, SERVICE
from qwen_operator.core.layouts import is_asked
from qwen_operator.core.living import difference
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.rollout import Rollout, rollout
from qwen_operator.core.scene import Scene
from qwen_operator.core.serving import Serving, replicas, serving
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot, controlled_by
from qwen_operator.core.steps import CreateOnce, Step, applied, removed


@dataclass(frozen=True)
class Plan:
    """Steps in the order they are to be taken.

    A `CreateOnce` that fails ends the plan, since a later plan only repeats it while no Deployment refers to the
    Secret. A failed `Apply` or `Delete` does not keep the steps behind it from being taken.
    """

    steps: tuple[Step, ...] = ()
    problem: Problem | None = None
    """Why the model can't be served as asked; the steps that it blocks are not in `steps`."""
    fit: Fitting | None = None
    """Whether it fits, as found when the steps were chosen; None if nothing was judged."""
    held: Problem | None = None
    """Why replicas are not of the template that the spec asks for, though they could be."""


@dataclass(frozen=True)
class Outcome:
    """What became of a plan's steps; those without a failure were done."""

    failures: tuple[tuple[Step, Problem], ...] = ()


def make(model: QwenModel, seen: Snapshot, settings: Settings, now: str = "") -> Plan:
    """What is to be done about a model.

    A model that is being deleted gets nothing: its children leave by owner reference. An obstacle (a scheme that can't
    be fetched, a claim that is missing, lost or being deleted) blocks every step that would start pods in vain; see
    `_despite`. What does not fit is neither fetched nor started; see `_asked`.

    :param now: UTC time in RFC 3339; empty if nothing is to be judged by time.
    """
    if model.metadata.deletion_timestamp:
        return Plan()
    obstacle, fit = acceptance.obstacle(model, seen), _judged(model, seen, settings)
    if obstacle:
        return Plan(_taken(_despite(model, seen, settings, fit)), obstacle, fit)
    wanted, gated = serving(model, settings, fit.layout), gate(model.spec, fit) is not None
    waits = gated or not weights.are_there(model, seen)
    replica = deployment(model, wanted)
    way = rollout(model, replica, seen, now, gated=waits and wanted.replicas > 0)
    decided = _Decided(wanted, replica, gated, waits, way)
    return Plan(_taken(_asked(model, seen, settings, decided)), None, fit, way.held)


def _judged(model: QwenModel, seen: Snapshot, settings: Settings) -> Fitting:
    """Whether it fits; where replicas have come up as they are asked for, no number takes their layout from them."""
    told, runs = weights.told(model, seen), running.layout(seen.deployment)
    found = fitting(model, told, seen.nodes, runs)
    if runs is None or (found.layout == runs and found.verdict is not Verdict.DOES_NOT_FIT):
        return found
    return proven(model, told, seen.nodes, runs) if _came_up(model, seen, settings, runs) else found


def _came_up(model: QwenModel, seen: Snapshot, settings: Settings, runs: Layout) -> bool:
    """Whether replicas with this layout are what is asked for, and have answered."""
    living = seen.deployment
    if living is None or not controlled_by(living, model.metadata.uid) or not is_asked(model.spec, runs):
        return False
    scene = Scene(model, deployment(model, serving(model, settings, runs)), living, seen, "")
    return scene.asked == scene.running and scene.is_good


@dataclass(frozen=True)
class _Decided:
    """What the steps of a model that can be served follow from."""

    wanted: Serving
    replica: Manifest
    """The Deployment as the spec asks for it."""
    gated: bool
    """The numbers say that it does not fit, and that is to count."""
    waits: bool
    """New replicas would start in vain."""
    way: Rollout


def _taken(steps: tuple[Step | None, ...]) -> tuple[Step, ...]:
    return tuple(step for step in steps if step)


def _asked(model: QwenModel, seen: Snapshot, settings: Settings, decided: _Decided) -> tuple[Step | None, ...]:
    """Everything that the spec asks for; of a model that does not fit nothing is fetched, and no replica begins."""
    replica = _replicas(model, decided.replica, seen, decided.way, as_they_are=decided.waits)
    brought = () if decided.gated else bringing.steps(model, seen, settings)
    jobs = (*brought, *_images(model, decided.wanted, seen, decided.way))
    return (
        *_before(model, decided.wanted, seen, replica),
        *fencing.steps(model, seen, settings, jobs),
        *jobs,
        replica,
        *_behind(model, decided.wanted, seen),
    )


def _images(model: QwenModel, wanted: Serving, seen: Snapshot, way: Rollout) -> tuple[Step | None, ...]:
    """The Job that pulls an image before a replica makes room for it; of earlier ones nothing stays."""
    gone = tuple(removed(JOB, job, "nobody waits for its image") for job in pulling.unneeded(model, way.pull, seen))
    if way.pull is None or pulling.job(model, way.pull, seen):
        return gone
    job = image_job(model, way.pull.image, wanted.pull_policy, way.pull.nodes)
    return (*gone, applied(JOB, model, job, None))


def _before(model: QwenModel, wanted: Serving, seen: Snapshot, replica: Step | None) -> tuple[Step | None, ...]:
    """What no replica may begin without: keys and fence.

    :param replica: the step that changes the replicas, if one is to be taken.
    """
    return _created_once(model, wanted, seen, replica), _fence(model, seen.network_policy)


def _behind(model: QwenModel, wanted: Serving, seen: Snapshot) -> tuple[Step | None, ...]:
    """What no replica waits for: address and budget."""
    return applied(SERVICE, model, service(model, wanted), seen.service), _budget(model, seen.disruption_budget)


def _budget(model: QwenModel, living: Manifest | None) -> Step | None:
    if model.spec.disruption.pod_disruption_budget == "None" or replicas(model.spec) < 2:
        return removed(DISRUPTION_BUDGET, living, "there is no second replica, or disruption says so")
    return applied(DISRUPTION_BUDGET, model, disruption_budget(model), living)


def _fence(model: QwenModel, living: Manifest | None) -> Step | None:
    if model.spec.network_policy.mode == "Off":
        return removed(NETWORK_POLICY, living, "networkPolicy.mode is Off")
    return applied(NETWORK_POLICY, model, network_policy(model), living)


def _replicas(model: QwenModel, wanted: Manifest, seen: Snapshot, way: Rollout, *, as_they_are: bool) -> Step | None:
    """The Deployment.

    :param wanted: as the spec asks for it.
    :param as_they_are: there is nothing to start new replicas with; those that run go on, and are scaled.
    """
    replica, living = way.shaped(wanted), seen.deployment
    if as_they_are and wanted["spec"]["replicas"] and living is None:
        return None
    if way.stays and living is not None and difference(replica, living) is None:
        return None  # its digest differs, since the living template is more than what was sent
    return applied(DEPLOYMENT, model, replica, living)


def _despite(model: QwenModel, seen: Snapshot, settings: Settings, fit: Fitting) -> tuple[Step | None, ...]:
    """What can be done behind an obstacle: to start no pod in vain, and to take no pod away that serves.

    A model without replicas needs no claim. Replicas that run from the claim in question are scaled and keep their
    address; a change of what they run waits, since their successors would never start.
    """
    resting, living = replicas(model.spec) == 0, seen.deployment
    wanted = serving(model, settings, fit.layout)
    if not resting and (living is None or not running.runs_on(living, wanted.models.claim)):
        return ()
    asked = deployment(model, wanted)
    way = rollout(model, asked, seen, "", gated=not resting)
    replica = _replicas(model, asked, seen, way, as_they_are=not resting)
    return (*_before(model, wanted, seen, replica), replica, *_behind(model, wanted, seen))


def _created_once(model: QwenModel, wanted: Serving, seen: Snapshot, replica: Step | None) -> Step | None:
    """The key Secret, right before the Deployment that refers to it, and again when a replica finds no key.

    Between these two, whoever deletes it means to revoke every key, and replicas go on with those that they know. A
    Secret may also vanish on the way: one of an earlier model of this name is collected after its Deployment.
    """
    if not wanted.generate_key:
        return None
    if replica and running.volume(seen.deployment, "keys").get("secret", {}).get("secretName") != wanted.key_secret:
        return CreateOnce(SECRET, key_secret(model, wanted), "no Deployment refers to it yet")
    ended = (ending.server_ended(pod, model) for pod in pods.newest(seen.pods))
    if any(problem is not None and problem.reason is Reason.NO_USABLE_KEY for problem in ended):
        return CreateOnce(SECRET, key_secret(model, wanted), "a replica finds no key")
    return None
