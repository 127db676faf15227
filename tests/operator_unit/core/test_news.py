"""What of a status is worth an event."""

import pytest

from qwen_operator.core.news import News, event, news
from qwen_operator.core.problems import ON_THE_WAY, Reason
from qwen_operator.core.snapshot import Manifest
from tests.builders import NOW, a_body


def a_status(ready: str, reason: Reason, message: str = "It is so.") -> Manifest:
    """A status of which only Ready matters."""
    other = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""}
    return {"conditions": [other, {"type": "Ready", "status": ready, "reason": reason, "message": message}]}


STARTING, READY = a_status("False", Reason.STARTING), a_status("True", Reason.READY)
CRASHED = a_status("False", Reason.CRASH_LOOP)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (STARTING, READY, ("Normal", "Ready")),
        (READY, CRASHED, ("Warning", "CrashLoop")),
        (READY, a_status("False", Reason.SUSPENDED), ("Normal", "Suspended")),
        (STARTING, CRASHED, ("Warning", "CrashLoop")),
        (CRASHED, a_status("False", Reason.KV_CACHE_TOO_SMALL), ("Warning", "KVCacheTooSmall")),
    ],
)
def test_a_turn_and_another_cause_are_news(before: Manifest, after: Manifest, told: tuple[str, str]) -> None:
    """A warning where somebody should look."""
    found = news(before, after)

    assert found == News(*told, "It is so.")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, STARTING),
        ({}, CRASHED),
        (READY, READY),
        (CRASHED, a_status("False", Reason.CRASH_LOOP, "restarts: 2")),
        (a_status("False", Reason.PREPARING_POD), STARTING),
        (CRASHED, STARTING),
        ({"conditions": "x"}, READY),
        ({"conditions": [{"type": "Ready"}]}, READY),
    ],
)
def test_the_first_look_a_step_on_the_way_and_the_same_again_are_none(before: Manifest, after: Manifest) -> None:
    """They would only be noise."""
    assert news(before, after) is None


def test_what_is_on_the_way_is_never_a_warning() -> None:
    """Whatever it was before."""
    assert {news(READY, a_status("False", reason)).type for reason in ON_THE_WAY} == {"Normal"}  # type: ignore[union-attr]


def test_an_event_is_one_for_each_model_and_reason() -> None:
    """So that the next one of the kind is merged into it."""
    told = News("Warning", "CrashLoop", "x" * 2000)
    body = a_body()

    first = event(body, told, NOW, NOW, 1)
    again = event(body, told, NOW, NOW, 2)
    other = event(body, News("Warning", "Killed", "x"), NOW, NOW, 1)

    assert first["metadata"] == again["metadata"] != other["metadata"]
    assert first["involvedObject"]["uid"] == body["metadata"]["uid"]
    assert len(first["message"]) == 1024
