"""What real components said, and the reason that follows from it. The recordings are in tests/golden/pods."""

from datetime import datetime, timedelta

import pytest

from qwen_operator.core import status
from qwen_operator.core.causes import ending, kubelet, replicaset, scheduler
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Reason
from qwen_operator.core.snapshot import Manifest
from tests.builders import NOW, a_model, a_pod, recorded, recordings

REASONS = {
    "claim-without-volume": Reason.CLAIM_PENDING,
    "command-not-in-image": Reason.CONTAINER_CREATE_FAILED,
    "cordoned": Reason.UNSCHEDULABLE,
    "crash-loop": Reason.CRASH_LOOP,
    "ended-cleanly-again-and-again": Reason.CRASH_LOOP,
    "evicted": Reason.STARTING,
    "image-name-invalid": Reason.IMAGE_NOT_FOUND,
    "image-never-pulled": Reason.IMAGE_NOT_FOUND,
    "image-not-found": Reason.IMAGE_NOT_FOUND,
    "image-not-found-back-off": Reason.IMAGE_NOT_FOUND,
    "killed": Reason.KILLED,
    "model-path-not-found": Reason.MODEL_PATH_NOT_FOUND,
    "no-gpu-node": Reason.INSUFFICIENT_GPU,
    "no-node-apart": Reason.NO_NODE_MATCHES,
    "no-node-label": Reason.NO_NODE_MATCHES,
    "no-node-near": Reason.NO_NODE_MATCHES,
    "no-nodes": Reason.UNSCHEDULABLE,
    "no-priority-class": Reason.REPLICA_REFUSED,
    "no-runtime-class": Reason.REPLICA_REFUSED,
    "no-scheduler": Reason.ROLLING_OUT,
    "no-usable-key": Reason.NO_USABLE_KEY,
    "no-volume-to-bind": Reason.CLAIM_PENDING,
    "no-zone": Reason.NO_NODE_MATCHES,
    "not-restricted": Reason.POD_SECURITY_REJECTED,
    "other-product": Reason.NO_NODE_MATCHES,
    "out-of-memory": Reason.HOST_OUT_OF_MEMORY,
    "over-quota": Reason.QUOTA_EXCEEDED,
    "pulling-image": Reason.PREPARING_POD,
    "ready": Reason.READY,
    "registry-asks-for-a-password": Reason.IMAGE_UNAUTHORIZED,
    "registry-asks-for-a-token": Reason.IMAGE_UNAUTHORIZED,
    "registry-name-unknown": Reason.IMAGE_PULL_FAILED,
    "registry-out-of-reach": Reason.IMAGE_PULL_FAILED,
    "rejected-by-node": Reason.REJECTED_BY_NODE,
    "several-hurdles": Reason.INSUFFICIENT_GPU,
    "starting": Reason.STARTING,
    "tainted": Reason.TAINT_NOT_TOLERATED,
    "too-few-gpus": Reason.INSUFFICIENT_GPU,
    "too-much-cpu": Reason.INSUFFICIENT_CPU_OR_MEMORY,
    "too-much-memory": Reason.INSUFFICIENT_CPU_OR_MEMORY,
    "unwelcome-neighbour": Reason.NO_NODE_MATCHES,
    "volume-on-another-node": Reason.VOLUME_NODE_CONFLICT,
    "volumes-do-not-come": Reason.PREPARING_POD,
}


@pytest.mark.parametrize("situation", recordings())
def test_a_recorded_situation_has_its_reason(situation: str) -> None:
    """Judged at the time of the recording."""
    model, seen = recorded(situation)
    at = max(pod["metadata"]["creationTimestamp"] for pod in seen.pods) if seen.pods else NOW

    document = status.document(model, seen, Plan(), Outcome(), at)

    assert document["reason"] == REASONS[situation]


OLDER_TEXTS = {
    "taint, before 1.34": (
        "0/1 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        Reason.TAINT_NOT_TOLERATED,
    ),
    "volume elsewhere, before 1.33": (
        "0/1 nodes are available: 1 node(s) had volume node affinity conflict. preemption: 0/1 nodes are available.",
        Reason.VOLUME_NODE_CONFLICT,
    ),
    "a claim for one pod only": (
        "0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
        "already in-use by another pod.",
        Reason.ACCESS_MODE_CONFLICT,
    ),
    "something new": ("0/1 nodes are available: 1 node(s) had bad weather.", Reason.UNSCHEDULABLE),
}


def unscheduled(message: str) -> Manifest:
    """A pod that the scheduler has said this about."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return a_pod(status={"conditions": [condition]})


@pytest.mark.parametrize(("message", "reason"), OLDER_TEXTS.values(), ids=OLDER_TEXTS.keys())
def test_other_versions_texts_are_known_or_quoted(message: str, reason: Reason) -> None:
    """What is not known stays visible, without the scheduler's afterword."""
    problem = scheduler.no_node_was_found(unscheduled(message), a_model())

    assert problem is not None
    assert problem.reason is reason
    assert message.partition(" preemption")[0].rstrip(".") in problem.message
    assert "preemption" not in problem.message


def test_a_pod_that_the_scheduler_has_not_looked_at_yet_has_no_problem() -> None:
    """SchedulingGated and the like are not ours to explain."""
    assert scheduler.no_node_was_found(a_pod(), a_model()) is None


def ended(message: str, *, code: int = 1, reason: str = "Error") -> Manifest:
    """A pod whose server ended so."""
    terminated = {"exitCode": code, "reason": reason, "message": message}
    container = {"name": "server", "state": {"terminated": terminated}, "restartCount": 2}
    return a_pod(status={"phase": "Running", "containerStatuses": [container]})


def said(pod: Manifest) -> tuple[Reason, str]:
    """Reason and message for a pod whose server ended."""
    problem = ending.server_ended(pod, a_model())
    assert problem is not None
    return problem.reason, problem.message


@pytest.mark.parametrize("reason", ending.SPOKEN)
def test_the_servers_own_reason_is_taken_over(reason: str) -> None:
    """With its sentence."""
    found, message = said(ended(f'{{"reason": "{reason}", "message": "It is so"}}', code=78))

    assert found == reason
    assert "It is so." in message


@pytest.mark.parametrize(
    "message",
    ['{"reason": "Whatever", "message": "It is so"}', '{"reason": "HostOutOfMemory", "message": "It is so"}'],
)
def test_a_reason_that_the_server_may_not_give_is_quoted_only(message: str) -> None:
    """Nobody talks the operator into a reason by a termination message."""
    found, text = said(ended(message))

    assert found is Reason.CRASH_LOOP
    assert "It is so." in text


@pytest.mark.parametrize("message", ["", "null", "[]", '{"reason": 1}', '{"reason"', "\ud800"])
def test_broken_words_are_no_trouble(message: str) -> None:
    """The exit code is told."""
    found, text = said(ended(message))

    assert found is Reason.CRASH_LOOP
    assert "exit code 1 (restarts: 2)" in text


def test_the_last_error_of_a_log_is_told_without_its_secrets() -> None:
    """The kubelet hands over the log's end when there is no termination message."""
    _, text = said(ended("loading\nRuntimeError: bad token hf_abcdefghijklmnopqrst\n"))

    assert "RuntimeError: bad token [removed]." in text


def test_memory_names_the_limit_that_was_hit() -> None:
    """Or says that there was none."""
    reason, text = said(ended("", code=137, reason="OOMKilled"))

    assert reason is Reason.HOST_OUT_OF_MEMORY
    assert "limit none of its own; the node's" in text


def started_again(*, started: bool = False, before: Manifest | None = None) -> Manifest:
    """A pod whose server was restarted twice and runs; `before` is how it ended, where the kubelet still knows."""
    last = {"terminated": before} if before else {}
    container = {
        "name": "server",
        "state": {"running": {}},
        "lastState": last,
        "restartCount": 2,
        "started": started,
    }
    return a_pod(status={"phase": "Running", "containerStatuses": [container]})


@pytest.mark.parametrize("reason", ["ContextTooLong", "HostOutOfMemory", "CrashLoop"])
def test_a_cause_stands_when_the_kubelet_forgets_it(reason: str) -> None:
    """`lastState` may be empty after a restart (kubernetes/kubernetes#101044); what was found out stays known."""
    model = a_model(status={"reason": reason, "message": "Of pod qwen3-7d9f-abcde it was so."})

    problem = ending.server_ended(started_again(), model)

    assert problem is not None
    assert (problem.reason, problem.message) == (reason, "Of pod qwen3-7d9f-abcde it was so.")


@pytest.mark.parametrize(
    "before",
    [
        {},
        {"reason": "Starting", "message": "It loads."},
        {"reason": "Made-up"},
        {"reason": "HostOutOfMemory", "message": "The server of pod another used more."},
    ],
)
def test_an_end_without_a_record_is_told_all_the_same(before: Manifest) -> None:
    """The count of restarts is proof enough that the server ended."""
    problem = ending.server_ended(started_again(), a_model(status=before))

    assert problem is not None
    assert problem.reason is Reason.CRASH_LOOP
    assert "exit code unknown (restarts: 2): the node kept no record of it." in problem.message


def test_a_cause_is_over_once_the_next_start_succeeded() -> None:
    """A replica that has been serving for days and falls silent does so for another reason."""
    killed = {"exitCode": 137, "reason": "OOMKilled"}

    assert ending.server_ended(started_again(started=True, before=killed), a_model()) is None


def waiting(reason: str, message: str) -> Manifest:
    """A pod whose container waits for this reason."""
    container = {
        "name": "server",
        "image": "r.example/x:1",
        "state": {"waiting": {"reason": reason, "message": message}},
    }
    return a_pod(status={"containerStatuses": [container]})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("pull access denied, repository does not exist or may require authorization: server message: "
         "insufficient_scope: authorization failed", Reason.IMAGE_UNAUTHORIZED),
        ("manifest unknown: manifest unknown", Reason.IMAGE_NOT_FOUND),
        ("toomanyrequests: You have reached your pull rate limit", Reason.IMAGE_PULL_FAILED),
    ],
)  # fmt: skip
def test_registries_differ_in_words(message: str, reason: Reason) -> None:
    """What several of them share is known, the rest is quoted."""
    problem = kubelet.image_cannot_be_pulled(waiting("ErrImagePull", message), a_model())

    assert problem is not None
    assert problem.reason is reason
    assert message in problem.message


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"])
def test_a_container_that_can_not_be_made_is_told(reason: str) -> None:
    """With the runtime's words, or at least its reason."""
    problem = kubelet.container_cannot_be_created(waiting(reason, ""), a_model())

    assert problem is not None
    assert problem.reason is Reason.CONTAINER_CREATE_FAILED
    assert reason in problem.message


def test_an_evicted_pod_is_told_while_nothing_has_taken_its_place() -> None:
    """With the kubelet's words."""
    pod = a_pod(status={"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."})

    problem = kubelet.node_gave_the_pod_up(pod, a_model())

    assert problem is not None
    assert problem.reason is Reason.EVICTED
    assert "low on resource: memory." in problem.message


def test_long_preparation_is_told() -> None:
    """After ten minutes; what it waits for stands in events only, so the sentence names all of it."""
    pod = a_pod(created="2026-11-24T11:49:59Z")

    problem = kubelet.preparation_takes_long(pod, a_model(), NOW)

    assert problem is not None
    assert problem.reason is Reason.WAITING_FOR_NODE
    assert kubelet.preparation_takes_long(a_pod(created="2026-11-24T11:50:01Z"), a_model(), NOW) is None


def test_a_scheduler_that_says_nothing_is_told_after_two_minutes() -> None:
    """Kubernetes says nothing about a name that no scheduler has; until then it may just be busy."""
    model, seen = recorded("no-scheduler")
    [pod] = seen.pods
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])

    problem = scheduler.nobody_looks_for_a_node(pod, model, (created + timedelta(seconds=120)).isoformat())

    assert problem is not None
    assert problem.reason is Reason.SCHEDULER_SILENT
    assert "the scheduler volcano" in problem.message
    assert scheduler.nobody_looks_for_a_node(pod, model, (created + timedelta(seconds=119)).isoformat()) is None


def test_a_scheduler_that_found_no_node_is_not_silent() -> None:
    """Nor is one that found one."""
    _, seen = recorded("no-node-apart")

    assert scheduler.seconds_of_silence(seen.pods[0], "2027-01-01T00:00:00Z") is None
    assert scheduler.seconds_of_silence(a_pod(), "2027-01-01T00:00:00Z") is None


def test_a_deployment_without_trouble_refuses_nothing() -> None:
    """Nor does one that is not there."""
    assert replicaset.pods_are_refused(None, a_model()) is None
    assert replicaset.pods_are_refused({"status": {"conditions": []}}, a_model()) is None
