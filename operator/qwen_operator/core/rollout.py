"""How one pod template follows another: which one the Deployment gets, in which way, and when one is given up.

Why it exists: a change must cost no request that could be saved and no GPU that isn't there, and one that doesn't come
up must not stay. Each look decides anew from the Deployment and its pods. What has to outlive a crash, the template to
return to and the one that was given up, stands on the Deployment itself, written in the very step that it is about. It
must never judge a revision by pods of another one.
"""

from dataclasses import dataclass, field

from qwen_operator.core import names, pods, pulling
from qwen_operator.core.causes import failing
from qwen_operator.core.desired.deployment import IN_PLACE, strategy
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.pulling import Pull
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.revisions import (
    LONGEST_CAUSE,
    GivenUp,
    annotation,
    complete,
    given_up,
    grace,
    last_good,
    way_back,
)
from qwen_operator.core.room import lacks_room
from qwen_operator.core.scene import Scene, staying
from qwen_operator.core.snapshot import Manifest, Snapshot, controlled_by


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What the Deployment is to be, as far as replacing replicas goes."""

    template: Manifest
    in_place: bool
    annotations: dict[str, str] = field(default_factory=dict)
    stays: bool = False
    """Whether the template is the living one though the spec asks for another."""
    held: Problem | None = None
    """Why it is."""
    pull: Pull | None = None
    """An image to pull meanwhile."""

    def shaped(self, deployment: Manifest) -> Manifest:
        """A Deployment with these in it."""
        metadata = deployment["metadata"]
        spec = deployment["spec"] | {"template": self.template, "strategy": strategy(in_place=self.in_place)}
        marked = {**metadata, "annotations": self.annotations} if self.annotations else metadata
        return deployment | {"metadata": marked, "spec": spec}


def rollout(model: QwenModel, wanted: Manifest, seen: Snapshot, now: str, *, gated: bool = False) -> Rollout:
    """How replicas get from what lives to what is asked for.

    :param wanted: the Deployment as the spec asks for it.
    :param now: UTC time in RFC 3339; empty if nothing is to be judged by time.
    :param gated: replicas of what is asked for would start in vain.
    """
    living = seen.deployment
    if living is None or not controlled_by(living, model.metadata.uid):
        return Rollout(template=wanted["spec"]["template"], in_place=model.spec.rollout.strategy in IN_PLACE)
    scene = Scene(model, wanted, living, seen, now)
    if (over := given_up(living)) and over.revision == scene.asked and scene.returns:
        return _as_it_is(scene, _rolled_back(over, scene.running))
    if scene.asked == scene.running:
        return _returned(scene) or _under_way(scene)
    return _changed(scene, gated=gated)


def seconds_left(model: QwenModel, seen: Snapshot, now: str) -> list[float]:
    """Seconds after which time alone may decide that a rollout under way has failed."""
    before = last_good(seen.deployment)
    if before is None:
        return []
    found = (failing.seconds_left(pod, model, now, grace=grace(before)) for pod in staying(seen))
    return [left for left in found if left is not None]


def _as_it_is(scene: Scene, held: Problem | None, pull: Pull | None = None) -> Rollout:
    return Rollout(
        template=scene.template,
        in_place=_is_in_place(scene),
        annotations=_kept(scene, names.LAST_GOOD, names.GIVEN_UP),
        stays=True,
        held=held,
        pull=pull,
    )


def _kept(scene: Scene, *notes: str) -> dict[str, str]:
    """Those of these annotations that there are, as they stand."""
    found = ((name, annotation(scene.living, name)) for name in notes)
    return {name: value for name, value in found if value}


def _is_in_place(scene: Scene) -> bool:
    """As the spec says; with Auto, as the rollout under way goes."""
    if (said := scene.model.spec.rollout.strategy) != "Auto":
        return said in IN_PLACE
    return bool(scene.living["spec"].get("strategy") == strategy(in_place=True))


def _changed(scene: Scene, *, gated: bool) -> Rollout:
    """Another template is asked for: it comes in unless something keeps it waiting."""
    if gated:
        return _as_it_is(scene, None)
    said = scene.model.spec.rollout.strategy
    if said == "OnDelete" and any(pods.started(pod) for pod in scene.others()):
        return _as_it_is(scene, _waits_for_deletion(scene.model))
    pull = _missing(scene) if said in IN_PLACE else None
    if pull:
        return _as_it_is(scene, pulling.hindrance(scene.model, pull, scene.seen), pull)
    return Rollout(template=scene.wanted["spec"]["template"], in_place=said in IN_PLACE, annotations=_way_back(scene))


def _way_back(scene: Scene) -> dict[str, str]:
    """The template to return to, if there is one: of a rollout that did not end the same as before, else the living."""
    if before := scene.last_good:
        return {} if pods.revision(before) == scene.asked else _kept(scene, names.LAST_GOOD)
    if not scene.returns or not scene.is_good:
        return {}
    return way_back(scene.template)


def _returned(scene: Scene) -> Rollout | None:
    """Back to the last good template, if the asked one has failed."""
    before, mine = scene.last_good, scene.of(scene.asked)
    if before is None or any(map(pods.ready, mine)) or complete(scene.living):
        return None
    makes_room = scene.model.spec.rollout.strategy != "Surge" and lacks_room(scene)
    waits_in_turn = makes_room or any(pods.leaving(pod) for pod in scene.seen.pods)
    cause = failing.failure(mine, scene.refused, scene.model, scene.now, grace=grace(before), may_wait=waits_in_turn)
    if cause is None:
        return None
    over = GivenUp(scene.asked, cause.reason.value, cause.message[:LONGEST_CAUSE])
    return Rollout(
        template=before,
        in_place=_is_in_place(scene),
        annotations=over.written(),
        stays=True,
        held=_rolled_back(over, pods.revision(before)),
    )


def _under_way(scene: Scene) -> Rollout:
    """The template is in: with Auto replicas make room one by one if a successor finds none beside them."""
    in_place, pull = _is_in_place(scene), None
    if not in_place and scene.model.spec.rollout.strategy == "Auto" and lacks_room(scene):
        pull = _missing(scene)
        in_place = pull is None
    is_over = complete(scene.living) or not scene.returns
    return Rollout(
        template=scene.wanted["spec"]["template"],
        in_place=in_place,
        annotations={} if is_over else _kept(scene, names.LAST_GOOD),
        held=pulling.hindrance(scene.model, pull, scene.seen) if pull else None,
        pull=pull,
    )


def _missing(scene: Scene) -> Pull | None:
    [container] = scene.wanted["spec"]["template"]["spec"]["containers"]
    serving = (pod for pod in scene.others() if pods.started(pod))
    return pulling.missing(scene.model, container["image"], serving, scene.seen)


def _rolled_back(over: GivenUp, running: str) -> Problem:
    return Reason.ROLLED_BACK.about(failed=over.revision, good=running, cause=over.reason, why=over.message)


def _waits_for_deletion(model: QwenModel) -> Problem:
    facts = {"namespace": model.metadata.namespace, "model": model.metadata.name}
    return Reason.WAITING_FOR_DELETION.about(**facts)
