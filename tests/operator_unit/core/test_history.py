"""What is still to be seen of a failure and of a start when both are over."""

import json
from typing import Any

import msgspec
import pytest

from qwen_operator.core import history, names, status
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource.report import Failure, Timings
from qwen_operator.core.snapshot import Manifest, Snapshot
from tests.builders import GOLDEN, NOW, a_body, a_model

LABELS = names.labels("qwen3")


def ended(at: str, *, code: int = 1, message: str = "Boom", name: str = "qwen3-1", **metadata: Any) -> Manifest:
    """A pod whose server ended once and runs again."""
    over = {"exitCode": code, "reason": "Error", "message": message, "finishedAt": at}
    container = {"name": "server", "state": {"running": {}}, "lastState": {"terminated": over}, "restartCount": 3}
    return {
        "metadata": {"name": name, "namespace": "team", "labels": LABELS, **metadata},
        "spec": {"nodeName": "gpu-7"},
        "status": {"containerStatuses": [container]},
    }


def ready(*, restarts: int = 0, began: str = "2026-11-24T11:02:00Z", since: str = "2026-11-24T11:12:30Z") -> Manifest:
    """A pod that answers: created at 11:00, on its node after 5 s, its process begun two minutes later."""
    container = {
        "name": "server",
        "started": True,
        "state": {"running": {"startedAt": began}},
        "restartCount": restarts,
    }
    conditions = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-24T11:00:05Z"},
        {"type": "Ready", "status": "True", "lastTransitionTime": since},
    ]
    metadata = {"name": "qwen3-1", "namespace": "team", "labels": LABELS, "creationTimestamp": "2026-11-24T11:00:00Z"}
    return {"metadata": metadata, "status": {"conditions": conditions, "containerStatuses": [container]}}


def stored(value: Failure | Timings | None) -> Manifest:
    """As the API server gives it back."""
    found: Manifest = json.loads(msgspec.json.encode(value))
    return found


def test_a_failure_is_told_with_place_time_and_words() -> None:
    """Also while the server runs again."""
    found = history.last_failure(
        a_model(), Snapshot(pods=(ended("2026-11-24T11:00:00Z", message="A\nImportError: x"),))
    )

    assert found == Failure(
        time="2026-11-24T11:00:00Z",
        pod="qwen3-1",
        node="gpu-7",
        reason=Reason.CRASH_LOOP,
        exit_code=1,
        restarts=3,
        excerpt="ImportError: x.",
    )


def test_the_servers_own_reason_and_a_signal_are_told() -> None:
    """The reason is the one that the condition had."""
    message = '{"reason": "KVCacheTooSmall", "message": "One request needs 47 GiB"}'
    spoken = history.last_failure(a_model(), Snapshot(pods=(ended("2026-11-24T11:00:00Z", code=78, message=message),)))
    killed = history.last_failure(a_model(), Snapshot(pods=(ended("2026-11-24T11:00:00Z", code=137, message=""),)))

    assert spoken is not None
    assert (spoken.reason, spoken.excerpt, spoken.signal) == (
        Reason.KV_CACHE_TOO_SMALL,
        "One request needs 47 GiB.",
        None,
    )
    assert killed is not None
    assert (killed.reason, killed.signal) == (Reason.KILLED, 9)


def test_of_several_failures_the_last_one_counts_and_one_that_was_asked_for_does_not() -> None:
    """A pod that leaves ends because it was told to."""
    first, second = ended("2026-11-24T10:00:00Z", name="a"), ended("2026-11-24T11:00:00Z", name="b")
    leaving = ended("2026-11-24T11:30:00Z", name="c", deletionTimestamp="2026-11-24T11:40:00Z")

    found = history.last_failure(a_model(), Snapshot(pods=(first, second, leaving)))

    assert found is not None
    assert found.pod == "b"


def test_a_failure_outlives_its_pod_and_an_older_one_does_not_replace_it() -> None:
    """It is read back from the status."""
    before = history.last_failure(a_model(), Snapshot(pods=(ended("2026-11-24T11:00:00Z", name="b"),)))
    model = a_model(status={"lastFailure": stored(before)})

    assert history.last_failure(model, Snapshot()) == before
    assert history.last_failure(model, Snapshot(pods=(ended("2026-11-24T10:00:00Z", name="a"),))) == before


@pytest.mark.parametrize("field", [{}, {"lastFailure": None}, {"lastFailure": {"time": 5}}, {"lastFailure": "x"}])
def test_a_status_that_says_nothing_readable_has_no_failure(field: Manifest) -> None:
    """Somebody else may have written there."""
    assert history.last_failure(a_model(status=field), Snapshot()) is None


def test_a_start_is_told_in_its_parts() -> None:
    """Node, image and volumes, engine."""
    found = history.timings(a_model(), Snapshot(pods=(ready(),)))

    assert found is not None
    assert (found.scheduling, found.preparation, found.engine_start, found.total) == (5, 115, 630, 750)


def test_a_restart_in_the_same_pod_counts_from_its_own_beginning() -> None:
    """The node and the image were there."""
    found = history.timings(a_model(), Snapshot(pods=(ready(restarts=1),)))

    assert found is not None
    assert (found.scheduling, found.preparation, found.engine_start, found.total) == (None, None, 630, 630)


def test_a_pod_that_was_not_ready_for_a_while_has_not_started_anew() -> None:
    """The time of its start is that of its first readiness; another process has a time of its own."""
    before = history.timings(a_model(), Snapshot(pods=(ready(),)))
    model = a_model(status={"timings": stored(before)})
    again = ready(since="2026-11-24T15:00:00Z")
    anew = ready(restarts=1, began="2026-11-24T14:59:00Z", since="2026-11-24T15:00:00Z")

    assert history.timings(model, Snapshot(pods=(again,))) == before
    assert history.timings(model, Snapshot()) == before
    found = history.timings(model, Snapshot(pods=(anew,)))
    assert found is not None
    assert found.total == 60


def test_a_recorded_pod_gives_a_failure_and_a_start() -> None:
    """As real components report them."""
    crashed = json.loads((GOLDEN / "pods/crash-loop.json").read_text())
    served = json.loads((GOLDEN / "pods/ready.json").read_text())

    failure = history.last_failure(a_model(), Snapshot(pods=tuple(crashed["pods"])))
    start = history.timings(a_model(), Snapshot(pods=tuple(served["pods"])))

    assert failure is not None
    assert (failure.time, failure.exit_code) == ("2026-11-24T00:51:01Z", 1)
    assert failure.excerpt.startswith("ImportError: libnuma.so.1")
    assert start is not None
    assert (start.scheduling, start.preparation, start.engine_start, start.total) == (0, 1, 2, 3)


def test_both_stay_while_the_spec_cannot_be_read() -> None:
    """A mistyped edit loses nothing."""
    failure = history.last_failure(a_model(), Snapshot(pods=(ended("2026-11-24T11:00:00Z"),)))
    start = history.timings(a_model(), Snapshot(pods=(ready(),)))
    body = a_body(status={"lastFailure": stored(failure), "timings": stored(start)})

    document = status.unreadable(body, Reason.INVALID_SPEC.about(field="spec", why="it is odd"), NOW)

    assert document["lastFailure"]["pod"] == "qwen3-1"
    assert document["timings"]["total"] == 750
