"""The status document: all conditions, always, each with the one thing to tell."""

import copy
import json
from typing import Any

import msgspec
import pytest

from qwen_operator.core import kinds, status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply
from tests.builders import NOW, a_body, a_claim, a_deployment, a_model, a_pod, recorded, rolled_out

ALL = ["Accepted", "Fits", "WeightsReady", "Applied", "Available", "Progressing", "Ready"]
LATER = "2026-11-24T12:05:00Z"
STEP = Apply(kinds.SERVICE, {}, "it does not exist")


def said(model: QwenModel, *, problem: Problem | None = None, refused: Problem | None = None, **seen: Any) -> Manifest:
    """The document for a model after its plan was carried out."""
    outcome = Outcome(((STEP, refused),)) if refused else Outcome()
    return status.document(model, Snapshot(**({"claim": a_claim()} | seen)), Plan((), problem), outcome, NOW)


def verdicts(document: Manifest) -> dict[str, str]:
    """Status and reason by condition."""
    return {entry["type"]: f"{entry['status']} {entry['reason']}" for entry in document["conditions"]}


def running(
    *, started: bool, ready: bool = False, name: str = "qwen3-7d9f-abcde", before: Manifest | None = None, **more: Any
) -> Manifest:
    """A pod whose server runs; `before` is how it ended before its restart."""
    container = {"name": "server", "state": {"running": {}}, "started": started, "ready": ready}
    if before:
        container |= {"lastState": {"terminated": before}, "restartCount": 1}
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": str(ready)}]
    return a_pod(name, status={"phase": "Running", "conditions": conditions, "containerStatuses": [container]}, **more)


def test_a_model_that_serves_is_ready() -> None:
    """Every replica runs what was asked for last, and answers."""
    model = a_model(replicas=2)

    assert verdicts(said(model, deployment=rolled_out(model, 2))) == {
        "Accepted": "True Accepted",
        "Fits": "Unknown NotJudged",
        "WeightsReady": "Unknown WeightsUnchecked",
        "Applied": "True Applied",
        "Available": "True Serving",
        "Progressing": "False Settled",
        "Ready": "True Ready",
    }


def test_the_document_tells_how_to_call_the_model() -> None:
    """Address, id and a command to copy."""
    model = a_model(replicas=2, device="GPU", resources={"gpus": 8}, model={"uri": "pvc://m/x", "servedName": "Qwen/Q"})

    document = said(model, deployment=rolled_out(model, 2))

    assert document["endpoint"] == {
        "url": "http://qwen3.team.svc:8000/v1",
        "modelId": "Qwen/Q",
        "portForward": "kubectl port-forward -n team service/qwen3 8000:8000",
    }
    assert (document["replicas"], document["readyReplicas"], document["updatedReplicas"]) == (2, 2, 2)
    assert (document["replicaSummary"], document["gpus"]) == ("2/2", 8)
    assert "app.kubernetes.io/instance=qwen3" in document["selector"]


def test_reason_and_message_are_those_of_ready() -> None:
    """For the columns."""
    document = said(a_model(), deployment=rolled_out(a_model(), 1))

    assert document["reason"] == "Ready"
    assert document["message"] == "qwen3 is served at http://qwen3.team.svc:8000/v1."


NOT_ROLLED_OUT: dict[str, Manifest] = {
    "the controller has not seen the change": rolled_out(a_model(), 1) | {"status": {
        "observedGeneration": 0, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}},
    "no replica is new": rolled_out(a_model(), 1, updatedReplicas=0),
    "an old one is left": rolled_out(a_model(), 1, replicas=2),
    "the new one does not answer": rolled_out(a_model(), 1, readyReplicas=0, availableReplicas=0),
    "more than asked for": rolled_out(a_model(), 2),
    "nothing is reported": a_deployment(a_model()),
}  # fmt: skip


@pytest.mark.parametrize("deployment", NOT_ROLLED_OUT.values(), ids=NOT_ROLLED_OUT.keys())
def test_a_model_is_not_ready_before_its_rollout_is_complete(deployment: Manifest) -> None:
    """So that `kubectl wait` after a change never returns for what ran before."""
    found = verdicts(said(a_model(), deployment=deployment))

    assert found["Ready"] == "False RollingOut"
    assert found["Progressing"] == "True RollingOut"


def test_a_failing_rollout_leaves_the_model_available() -> None:
    """The old replica answers, the new one crashes."""
    model, seen = recorded("crash-loop")
    deployment = rolled_out(model, 1, replicas=2)

    found = verdicts(said(model, deployment=deployment, pods=seen.pods))

    assert found["Available"] == "True Serving"
    assert found["Ready"] == "False CrashLoop"
    assert found["Progressing"] == "False CrashLoop"


def test_an_obstacle_is_told_by_every_condition_it_decides() -> None:
    """Nothing lives yet."""
    found = verdicts(
        said(a_model(), problem=Reason.CLAIM_NOT_FOUND.about(claim="models", namespace="team"), claim=None)
    )

    assert {kind for kind, said in found.items() if said == "False ClaimNotFound"} == {
        "Accepted",
        "WeightsReady",
        "Applied",
        "Available",
        "Progressing",
        "Ready",
    }


def test_replicas_go_on_answering_behind_an_obstacle() -> None:
    """What runs is told as it is."""
    model = a_model()
    obstacle = Reason.CLAIM_NOT_FOUND.about(claim="models", namespace="team")

    found = verdicts(said(model, problem=obstacle, deployment=rolled_out(model, 1)))

    assert found["Available"] == "True Serving"
    assert found["Ready"] == "False ClaimNotFound"


def test_a_taken_name_is_told() -> None:
    """Nothing of somebody else's is touched."""
    model = a_model()
    taken = Reason.NAME_TAKEN.about(kind="Service", name="qwen3")

    document = said(model, refused=taken, deployment=rolled_out(model, 1))

    assert verdicts(document)["Accepted"] == "True Accepted"
    assert verdicts(document)["Applied"] == "False NameTaken"
    assert verdicts(document)["Ready"] == "False NameTaken"
    assert document["message"].startswith("Service qwen3 exists and does not belong to this model.")


@pytest.mark.parametrize(("spec", "reason"), [({"suspend": True}, "Suspended"), ({"replicas": 0}, "ScaledToZero")])
def test_a_model_at_rest_says_so(spec: dict[str, Any], reason: str) -> None:
    """It is as asked, but it does not serve."""
    model = a_model(**spec)

    found = verdicts(said(model, deployment=rolled_out(model, 0)))

    assert (found["Available"], found["Progressing"], found["Ready"]) == (f"False {reason}",) * 3
    assert found["Applied"] == "True Applied"


def test_a_loading_engine_is_progress() -> None:
    """However long it takes."""
    model = a_model()
    deployment = rolled_out(model, 1, readyReplicas=0, availableReplicas=0)

    found = verdicts(said(model, deployment=deployment, pods=(running(started=False),)))

    assert (found["Available"], found["Progressing"]) == ("False Starting", "True Starting")


def test_a_replica_that_stopped_answering_is_told() -> None:
    """It had started once."""
    model = a_model()
    deployment = rolled_out(model, 1, readyReplicas=0, availableReplicas=0)

    assert said(model, deployment=deployment, pods=(running(started=True),))["reason"] == "NotReady"


def test_a_successor_that_waits_for_the_gpus_of_its_predecessor_is_on_its_way() -> None:
    """With maxSurge 0 that is how a rollout on GPUs looks while requests finish."""
    model, seen = recorded("too-few-gpus")
    leaving = running(started=True, name="too-few-gpus-old", template="old", deleted=LATER)

    document = said(model, deployment=seen.deployment, pods=(*seen.pods, leaving))

    assert verdicts(document)["Progressing"] == "True Replacing"
    assert "waits for the resources of pod too-few-gpus-old" in document["message"]
    assert "345 seconds" in document["message"]


@pytest.mark.parametrize(
    ("situation", "due", "reason"),
    [("too-few-gpus", "2026-11-24T11:59:59Z", "InsufficientGPU"), ("other-product", LATER, "NoNodeMatches")],
    ids=["its node is gone", "it has not what the successor asks for"],
)
def test_a_predecessor_that_will_not_make_room_is_not_waited_for(situation: str, due: str, reason: str) -> None:
    """A pod on a dead node stays for ever, and no pod that leaves makes another product of its GPUs."""
    model, seen = recorded(situation)
    leaving = running(started=True, name="old", template="old", deleted=due)

    assert said(model, deployment=seen.deployment, pods=(*seen.pods, leaving))["reason"] == reason


def test_a_server_that_is_started_again_says_why_and_moves() -> None:
    """Its node came back: what ended it stays on record, and the load is progress."""
    model = a_model()
    deployment = rolled_out(model, 1, readyReplicas=0, availableReplicas=0)
    pod = running(started=False, before={"exitCode": 255, "reason": "Unknown"})

    found = verdicts(said(model, deployment=deployment, pods=(pod,)))

    assert (found["Ready"], found["Available"]) == ("False CrashLoop", "False CrashLoop")
    assert found["Progressing"] == "True Starting"


def test_an_older_templates_pod_made_anew_does_not_hide_the_newer_ones_trouble() -> None:
    """A node died in the middle of a rollout that fails."""
    model, seen = recorded("crash-loop")
    (failing,) = seen.pods
    old = [
        running(started=True, ready=True, name="old-1", template="old", created="2026-11-01T00:00:00Z"),
        running(started=False, name="old-2", template="old", created="2026-11-30T00:00:00Z"),
    ]

    assert said(model, deployment=seen.deployment, pods=(failing, *old))["reason"] == "CrashLoop"


def test_a_failed_pod_is_history_once_a_younger_one_is_ready() -> None:
    """It stays listed for weeks; another replica that is being made has nothing to do with it."""
    model, seen = recorded("evicted")
    (failed,) = (pod for pod in seen.pods if pod["status"].get("phase") == "Failed")
    template = failed["metadata"]["labels"]["pod-template-hash"]
    ready = running(started=True, ready=True, template=template, created="2026-11-25T00:00:00Z")
    scaled = msgspec.structs.replace(model, spec=a_model(replicas=2).spec)

    assert (
        verdicts(said(model, deployment=rolled_out(model, 1), pods=(failed, ready)))["Progressing"] == "False Settled"
    )
    deployment = rolled_out(scaled, 2, readyReplicas=1, availableReplicas=1)
    assert said(scaled, deployment=deployment, pods=(failed, ready))["reason"] == "RollingOut"


def test_pods_of_an_older_template_are_not_judged() -> None:
    """The old replica's crash is over; the new one loads."""
    model, seen = recorded("crash-loop")
    new = running(started=False, template="new", created="2026-11-24T02:00:00Z")

    assert said(model, deployment=seen.deployment, pods=(*seen.pods, new))["reason"] == "Starting"


def test_the_most_telling_cause_is_told_whatever_the_order_of_pods() -> None:
    """One loads, the other can't."""
    model, seen = recorded("no-usable-key")
    template = seen.pods[0]["metadata"]["labels"]["pod-template-hash"]
    loading = running(started=False, template=template, created=seen.pods[0]["metadata"]["creationTimestamp"])

    reasons = {
        said(model, deployment=seen.deployment, pods=pods)["reason"]
        for pods in [(loading, *seen.pods), (*seen.pods, loading)]
    }

    assert reasons == {"NoUsableKey"}


def test_a_node_that_takes_long_leaves_open_whether_it_moves() -> None:
    """Nobody but the events knows."""
    model = a_model()
    deployment = rolled_out(model, 1, readyReplicas=0, availableReplicas=0)

    found = verdicts(said(model, deployment=deployment, pods=(a_pod(created="2026-11-24T11:00:00Z"),)))

    assert found["Progressing"] == "Unknown WaitingForNode"


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    """A new reason alone is no transition."""
    model = a_model()
    first = said(model, deployment=rolled_out(model, 1))
    old = copy.deepcopy(first)
    for entry in old["conditions"]:
        entry["lastTransitionTime"] = "2026-11-01T00:00:00Z"

    later = said(a_model(status=old), deployment=rolled_out(a_model(), 1, readyReplicas=0, availableReplicas=0))

    times = {entry["type"]: entry["lastTransitionTime"] for entry in later["conditions"]}
    assert times["Accepted"] == "2026-11-01T00:00:00Z"
    assert times["Ready"] == NOW


def test_a_status_that_says_nothing_new_is_the_same_document() -> None:
    """So that it is not written again."""
    model = a_model()
    first = said(model, deployment=rolled_out(model, 1))

    again = status.document(
        a_model(status=first),
        Snapshot(claim=a_claim(), deployment=rolled_out(model, 1)),
        Plan(),
        Outcome(),
        "2027-01-01T00:00:00Z",
    )

    assert again == first


def test_every_condition_is_about_the_generation_that_was_read() -> None:
    """`kubectl wait` compares it with the object's own."""
    document = said(a_model(generation=7), deployment=rolled_out(a_model(), 1))

    assert document["observedGeneration"] == 7
    assert {entry["observedGeneration"] for entry in document["conditions"]} == {7}
    assert [entry["type"] for entry in document["conditions"]] == ALL


def test_an_object_that_can_not_be_read_says_which_field() -> None:
    """Its children are left as they are, so nothing is claimed about them."""
    problem = Reason.INVALID_SPEC.about(field="spec.replicas", why="Expected `int`, got `str`")

    document = status.unreadable(a_body(generation=3), problem, NOW)

    assert verdicts(document) == {
        "Accepted": "False InvalidSpec",
        "Fits": "Unknown InvalidSpec",
        "WeightsReady": "Unknown InvalidSpec",
        "Applied": "False InvalidSpec",
        "Available": "Unknown InvalidSpec",
        "Progressing": "Unknown InvalidSpec",
        "Ready": "False InvalidSpec",
    }
    assert document["observedGeneration"] == 3
    assert "spec.replicas" in document["message"]
    assert "replicas" not in document


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": {"conditions": "none"}}, {"status": []}])
def test_whatever_was_stored_has_a_status(body: Manifest) -> None:
    """A status of strange shape is replaced, not tripped over."""
    assert status.unreadable(body, Reason.INVALID_SPEC.about(field="spec", why="x"), NOW)["reason"] == "InvalidSpec"


def test_a_document_is_plain_json() -> None:
    """It is compared with what the API server sends, where there is no other list than a list."""
    document = said(a_model(), deployment=rolled_out(a_model(), 1))

    assert json.loads(json.dumps(document)) == document


def test_a_long_message_fits_the_schema() -> None:
    """The API server would refuse the whole status otherwise."""
    refused = Reason.API_REFUSED.about(kind="Service", name="qwen3", why="x" * 5000)

    assert len(said(a_model(), refused=refused)["message"]) <= 1024


def test_time_alone_changes_only_a_preparation() -> None:
    """Ten minutes after the pod got its node the reason changes."""
    seen = Snapshot(pods=(a_pod(created="2026-11-24T11:55:00Z"),))

    assert status.look_again(a_model(), seen, NOW) == 300.0
    assert status.look_again(a_model(), Snapshot(pods=(running(started=True),)), NOW) is None
    assert status.look_again(a_model(), Snapshot(pods=(a_pod(created="2026-11-24T11:00:00Z"),)), NOW) is None


def test_a_document_changes_nothing_it_reads() -> None:
    """Pure."""
    model, seen = recorded("crash-loop")
    before = copy.deepcopy((model, seen))

    assert status.document(model, seen, Plan(), Outcome(), NOW) == status.document(model, seen, Plan(), Outcome(), NOW)
    assert (model, seen) == before


def test_the_end_of_a_pod_that_leaves_is_looked_at() -> None:
    """No event comes from a dead node; from then on its successor is not said to wait for it."""
    leaving = running(started=True, deleted=LATER)

    assert status.look_again(a_model(), Snapshot(pods=(leaving,)), NOW) == 300
    assert status.look_again(a_model(), Snapshot(pods=(leaving,)), LATER) is None
