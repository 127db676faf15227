"""One template follows another: which one lives, in which way, and what becomes of one that fails."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from qwen_operator.core import kinds, names, plan, pods, status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, Delete, Step
from tests.builders import NOW, SETTINGS, a_claim, a_deployment, a_model, a_network_policy, a_pod, a_service

OLD: dict[str, Any] = {"server": {"image": "registry.example/x:1"}}
NEW: dict[str, Any] = {"server": {"image": "registry.example/x:2"}}
READY = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOW}]
NO_ROOM = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
NOT_FOUND = 'failed to pull and unpack image "registry.example/x:2": registry.example/x:2: not found'
REFUSED = 'failed to pull and unpack image "registry.example/x:2": dial tcp 10.0.0.1:443: connect: connection refused'


def gpu(before: dict[str, Any] = OLD, **more: Any) -> QwenModel:
    """A model on GPUs whose weights somebody has put there."""
    return a_model(device="GPU", **(before | more))


def lives(model: QwenModel, *, annotations: dict[str, str] | None = None, done: bool = True, **spec: Any) -> Manifest:
    """The Deployment of a model, rolled out or not."""
    count = model.spec.replicas
    counts = {"replicas": count, "updatedReplicas": count, "readyReplicas": count, "availableReplicas": count}
    deployment = a_deployment(model, **(counts if done else {"replicas": count}))
    deployment["metadata"]["annotations"] |= annotations or {}
    deployment["spec"] |= spec
    return deployment


def replica(model: QwenModel, name: str, **status: Any) -> Manifest:
    """A pod of a model's own template, as its status says."""
    pod = a_pod(name, template=name, status=status)
    template = a_deployment(model)["spec"]["template"]
    pod["metadata"]["labels"] |= template["metadata"]["labels"]
    pod["spec"] = {**template["spec"], "nodeName": "node-a"}
    return pod


def serving(model: QwenModel, name: str = "old") -> Manifest:
    """One that answers."""
    running = {"name": "server", "started": True, "restartCount": 0, "state": {"running": {"startedAt": NOW}}}
    return replica(model, name, conditions=READY, containerStatuses=[running])


def waiting(model: QwenModel, reason: str, message: str = "", **container: Any) -> Manifest:
    """One whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    found = {"name": "server", "image": "registry.example/x:2", "restartCount": 0, "state": state, **container}
    return replica(model, "new", conditions=READY[1:], containerStatuses=[found])


def crashing(model: QwenModel, restarts: int) -> Manifest:
    """One whose server has ended once more than it was started again."""
    words = json.dumps({"reason": "InvalidArgument", "message": "--block-size: '0' is not a whole number."})
    ended = {"terminated": {"exitCode": 78, "reason": "Error", "message": words, "finishedAt": NOW}}
    return waiting(model, "CrashLoopBackOff", restartCount=restarts, lastState=ended)


def unplaced(model: QwenModel, why: str = NO_ROOM) -> Manifest:
    """One that finds no node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
    return replica(model, "new", conditions=[condition | {"lastTransitionTime": NOW}])


def planned(model: QwenModel, living: Manifest, *there: Manifest, now: str = NOW, **seen: Any) -> Plan:
    """The plan for a model with this Deployment and these pods."""
    around = {"service": a_service(model), "network_policy": a_network_policy(model), "claim": a_claim()}
    return plan.make(model, Snapshot(deployment=living, pods=there, **(around | seen)), SETTINGS, now)


def deployed(found: Plan) -> Manifest:
    """The Deployment that a plan writes."""
    [manifest] = [step.manifest for step in found.steps if isinstance(step, Apply) and step.kind == kinds.DEPLOYMENT]
    return manifest


def revision(deployment: Manifest) -> str:
    """Which template it has."""
    return pods.revision(deployment["spec"]["template"])


def surge(deployment: Manifest) -> int:
    """How many successors may come before a replica goes."""
    return int(deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"])


def stored(applied: Manifest, *, done: bool = False) -> Manifest:
    """A Deployment as it lives after it was written; its rollout has only begun unless said otherwise."""
    count = applied["spec"]["replicas"]
    counts = {f"{kind}eplicas": count for kind in ("r", "updatedR", "readyR", "availableR")} if done else {}
    metadata = applied["metadata"] | {"uid": "de", "generation": 2}
    return applied | {"metadata": metadata, "status": {"observedGeneration": 2, **counts}}


def changed() -> tuple[QwenModel, Manifest]:
    """A model whose image was changed while it served, and its Deployment right afterwards."""
    model = gpu(NEW)
    return model, stored(deployed(planned(model, lives(gpu()), serving(gpu()))))


def later(seconds: float) -> str:
    """A time after everything here has begun."""
    return (datetime.fromisoformat(NOW) + timedelta(seconds=seconds)).isoformat()


def test_a_change_takes_the_way_back_with_it_and_both_are_written_at_once() -> None:
    """The template that served is on the Deployment from the moment on that it is not its template any more."""
    before = lives(gpu())

    after = deployed(planned(gpu(NEW), before, serving(gpu())))

    assert revision(after) == revision(lives(gpu(NEW)))
    assert json.loads(after["metadata"]["annotations"][names.LAST_GOOD]) == before["spec"]["template"]


def test_a_change_of_what_never_served_has_no_way_back() -> None:
    """Else two bad ones would take turns."""
    after = deployed(planned(gpu(NEW), lives(gpu(), done=False), crashing(gpu(), 7)))

    assert names.LAST_GOOD not in after["metadata"]["annotations"]


def test_a_rollout_that_is_complete_needs_no_way_back() -> None:
    """What fails later is no fault of a change."""
    model, living = changed()

    after = deployed(planned(model, stored(living, done=True), serving(model, "new")))

    assert names.LAST_GOOD not in after["metadata"]["annotations"]
    done = stored(after, done=True)
    assert planned(model, done, crashing(model, 9)).steps == ()


FAILED: dict[str, tuple[Any, Reason]] = {
    "an image that is not there": (lambda m: waiting(m, "ErrImagePull", NOT_FOUND), Reason.IMAGE_NOT_FOUND),
    "a server that ends for the third time": (lambda m: crashing(m, 2), Reason.INVALID_ARGUMENT),
    "a start that stood still": (
        lambda m: waiting(
            m,
            "CrashLoopBackOff",
            lastState={
                "terminated": {"exitCode": 70, "message": '{"reason":"LoadStalled","message":"It stood still."}'}
            },
        ),
        Reason.LOAD_STALLED,
    ),
}


@pytest.mark.parametrize(("pod", "reason"), FAILED.values(), ids=FAILED.keys())
def test_a_failed_revision_makes_room_for_the_last_good_one(pod: Any, reason: Reason) -> None:
    """Its reason stands in the status, and it is not tried again: not by another look, not by another number."""
    model, living = changed()

    found = planned(model, living, serving(gpu()), pod(model))

    back = deployed(found)
    assert back["spec"]["template"] == lives(gpu())["spec"]["template"]
    assert found.held is not None
    assert found.held.reason is Reason.ROLLED_BACK
    assert reason.value in found.held.message
    rolled = stored(back, done=True)
    assert planned(model, rolled, serving(gpu())).steps == ()
    scaled = deployed(planned(gpu(NEW, replicas=2), rolled, serving(gpu()), disruption_budget=None))
    assert (scaled["spec"]["replicas"], revision(scaled)) == (2, revision(lives(gpu())))


PATIENT: dict[str, Any] = {
    "a server that ended once": lambda m: crashing(m, 0),
    "a registry out of reach": lambda m: waiting(m, "ErrImagePull", REFUSED),
    "a container that can't be made": lambda m: waiting(m, "CreateContainerError", "no such device"),
    "an image on its way": lambda m: waiting(m, "ContainerCreating"),
}


@pytest.mark.parametrize("pod", PATIENT.values(), ids=PATIENT.keys())
def test_what_may_pass_is_waited_for(pod: Any) -> None:
    """A rollout is never given up for how long it takes alone."""
    model, living = changed()

    assert planned(model, living, serving(gpu()), pod(model), now=later(590)).steps == ()


@pytest.mark.parametrize("name", ["a registry out of reach", "a container that can't be made"])
def test_what_stands_still_as_long_as_a_start_may_has_failed(name: str) -> None:
    """And the operator looks again when that time comes, though nothing happens."""
    model, living = changed()
    pod = PATIENT[name](model)

    assert revision(deployed(planned(model, living, serving(gpu()), pod, now=later(600)))) == revision(lives(gpu()))
    assert status.look_again(model, Snapshot(deployment=living, pods=(pod,)), later(100)) == 500


def test_pods_of_another_revision_say_nothing_about_this_one() -> None:
    """The old ones crash, which is what the change is to mend."""
    model, living = changed()

    assert planned(model, living, crashing(gpu(), 9)).steps == ()


def test_a_revision_of_which_a_replica_answers_is_not_given_up() -> None:
    """One of several has a bad node; the others are as asked."""
    model, living = changed()

    assert planned(model, living, serving(model, "fine"), crashing(model, 9)).steps == ()


def test_a_corrected_spec_is_tried_and_knows_the_way_back() -> None:
    """The one that was returned to, even while it is still loading."""
    model, living = changed()
    back = stored(deployed(planned(model, living, serving(gpu()), crashing(model, 5))))
    corrected = gpu({"server": {"image": "registry.example/x:3"}})

    after = deployed(planned(corrected, back))

    assert revision(after) == revision(lives(corrected))
    assert json.loads(after["metadata"]["annotations"][names.LAST_GOOD]) == lives(gpu())["spec"]["template"]
    assert names.GIVEN_UP not in after["metadata"]["annotations"]


def test_without_rollback_a_failed_change_is_tried_on() -> None:
    """Turning it off is also how one that was given up is tried again."""
    off = {"rollout": {"autoRollback": "Off"}}
    model, living = changed()
    back = stored(deployed(planned(model, living, serving(gpu()), crashing(model, 5))), done=True)

    assert revision(deployed(planned(gpu(NEW, **off), back, serving(gpu())))) == revision(lives(model))
    assert (
        names.LAST_GOOD
        not in deployed(planned(gpu(NEW, **off), lives(gpu()), serving(gpu())))["metadata"]["annotations"]
    )


def test_the_way_back_needs_no_status() -> None:
    """Whoever deletes it loses times and words; the Deployment knows what was given up."""
    model, living = changed()
    back = stored(deployed(planned(model, living, serving(gpu()), crashing(model, 5))), done=True)

    found = planned(model, back, serving(gpu()))

    assert (found.steps, found.held is not None) == ((), True)


def test_auto_surges_and_goes_on_in_place_when_the_scheduler_finds_no_gpu() -> None:
    """The scheduler's own answer decides, with the old pods in its way."""
    other = {"server": {"image": "registry.example/x:1", "maxNumSeqs": 4}}
    model = gpu(other)
    surged = stored(deployed(planned(model, lives(gpu()), serving(gpu()))))

    turned = deployed(planned(model, surged, serving(gpu()), unplaced(model)))

    assert (surge(surged), surge(turned), revision(turned)) == (1, 0, revision(surged))
    assert planned(model, stored(turned), serving(gpu()), unplaced(model)).steps == ()
    assert planned(model, stored(turned), unplaced(model), now=later(60)).steps == ()


def test_auto_stays_with_surging_where_nobody_could_make_room() -> None:
    """A replica more than there are GPUs for takes none of the others' away."""
    model = gpu(replicas=2, disruption={"podDisruptionBudget": "None"})

    assert planned(model, lives(model, done=False), serving(model), unplaced(model)).steps == ()


def test_surge_never_takes_a_replica_for_want_of_gpus_and_gives_up_at_last() -> None:
    """A rollout that waits for GPUs that the old pods hold would wait for ever."""
    said = {"rollout": {"strategy": "Surge"}}
    model = gpu(NEW, **said)
    living = stored(deployed(planned(model, lives(gpu(**said)), serving(gpu(**said)))))
    there = (serving(gpu(**said)), unplaced(model))

    assert planned(model, living, *there, now=later(600)).steps == ()
    given_up = planned(model, living, *there, now=later(600 + 345))
    assert revision(deployed(given_up)) == revision(lives(gpu(**said)))


def jobs(steps: tuple[Step, ...]) -> list[Manifest]:
    """The Jobs that a plan makes."""
    return [step.manifest for step in steps if isinstance(step, Apply) and step.kind == kinds.JOB]


def fences_of(found: Plan) -> tuple[Manifest, ...]:
    """The NetworkPolicies that a plan makes."""
    made = (step.manifest for step in found.steps if isinstance(step, Apply) and step.kind == kinds.NETWORK_POLICY)
    return tuple(each | {"metadata": each["metadata"] | {"uid": "f1"}} for each in made)


@pytest.mark.parametrize("strategy", ["InPlace", "Auto"])
def test_no_replica_makes_room_before_the_image_is_on_its_node(strategy: str) -> None:
    """A Job without a GPU pulls it there; when it is done the swap goes on, and the Job goes."""
    said = {"rollout": {"strategy": strategy}}
    old, model = gpu(**said), gpu(NEW, **said)
    living = lives(old)
    there: tuple[Manifest, ...] = (serving(old),)
    if strategy == "Auto":
        living, there = stored(deployed(planned(model, living, *there))), (serving(old), unplaced(model))

    found = planned(model, living, *there)

    [job] = jobs(found.steps)
    assert [step.kind for step in found.steps] == [kinds.NETWORK_POLICY, kinds.JOB]
    assert found.held is not None
    assert found.held.reason is Reason.PULLING_IMAGE
    done = job | {"metadata": job["metadata"] | {"uid": "j1"}}
    fences = fences_of(found)
    assert planned(model, living, *there, jobs=(done,), job_policies=fences).steps == ()
    done |= {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    swapped = deployed(planned(model, living, *there, jobs=(done,)))
    assert (surge(swapped), revision(swapped)) == (0, revision(lives(model)))
    last = planned(model, stored(swapped), *there, jobs=(done,), job_policies=fences)
    assert [step.kind for step in last.steps if isinstance(step, Delete)] == [kinds.JOB]
    assert len(last.steps) == 1


def test_the_job_that_pulls_asks_for_no_gpu_and_stands_where_replicas_do() -> None:
    """It runs the server as far as its version, on each node once."""
    said = {"rollout": {"strategy": "InPlace"}}
    [job] = jobs(planned(gpu(NEW, **said), lives(gpu(**said)), serving(gpu(**said))).steps)

    spec = job["spec"]["template"]["spec"]
    [container] = spec["containers"]
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert (container["command"], container["args"]) == (["qwen-server"], ["--version"])
    assert "nvidia.com/gpu" not in json.dumps(container)
    assert required["nodeSelectorTerms"][0]["matchFields"][0]["values"] == ["node-a"]
    assert job["spec"]["template"]["metadata"]["labels"][names.COMPONENT] == names.IMAGE


def test_an_image_that_can_not_be_had_is_told_while_the_old_replica_serves() -> None:
    """And nothing is taken from it."""
    said = {"rollout": {"strategy": "InPlace"}}
    old, model = gpu(**said), gpu(NEW, **said)
    first = planned(model, lives(old), serving(old))
    [job] = jobs(first.steps)
    state = {"waiting": {"reason": "ErrImagePull", "message": NOT_FOUND}}
    puller = a_pod("pull", status={"containerStatuses": [{"name": "image", "image": "x:2", "state": state}]})
    puller["metadata"]["labels"] |= {"batch.kubernetes.io/job-name": job["metadata"]["name"]}

    found = planned(model, lives(old), serving(old), jobs=(job,), pullers=(puller,), job_policies=fences_of(first))

    assert found.steps == ()
    seen = Snapshot(deployment=lives(old), pods=(serving(old),), claim=a_claim())
    said_so = status.document(model, seen, found, Outcome(), NOW)
    conditions = {each["type"]: (each["status"], each["reason"]) for each in said_so["conditions"]}
    assert conditions["Ready"] == ("False", "ImageNotFound")
    assert conditions["Available"] == ("True", "Serving")


def test_on_delete_a_change_waits_until_no_replica_serves() -> None:
    """What somebody deletes is followed by the new one; the status tells how."""
    said = {"rollout": {"strategy": "OnDelete"}}
    old, model = gpu(**said), gpu(NEW, **said)

    found = planned(model, lives(old), serving(old))

    assert found.steps == ()
    assert found.held is not None
    assert found.held.reason is Reason.WAITING_FOR_DELETION
    gone = serving(old)
    gone["metadata"]["deletionTimestamp"] = NOW
    after = deployed(planned(model, lives(old), gone, waiting(old, "ContainerCreating")))
    assert (surge(after), revision(after)) == (0, revision(lives(model)))


def test_the_status_tells_the_revisions_and_that_one_was_given_up() -> None:
    """Replicas answer, and what was asked for is not what answers: not Ready."""
    model, living = changed()
    back = planned(model, living, serving(gpu()), crashing(model, 5))
    rolled = stored(deployed(back), done=True)
    seen = Snapshot(deployment=rolled, pods=(serving(gpu()),), claim=a_claim())

    document = status.document(model, seen, planned(model, rolled, serving(gpu())), Outcome(), NOW)

    conditions = {each["type"]: (each["status"], each["reason"]) for each in document["conditions"]}
    assert conditions["Ready"] == ("False", "RolledBack")
    assert conditions["Progressing"] == ("False", "RolledBack")
    assert conditions["Available"] == ("True", "Serving")
    good = revision(lives(gpu()))
    assert document["revision"] == {"current": good, "lastGood": good, "failed": revision(living)}
