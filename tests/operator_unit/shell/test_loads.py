"""Which pods are asked how far they are, and whom their answers wake."""

from typing import Any

import pytest

from qwen_operator.core import names
from qwen_operator.core.progress import Progress
from qwen_operator.core.snapshot import Manifest
from qwen_operator.keys import Key
from qwen_operator.loads import Loader, Loads

POD, MODEL = Key("team", "qwen3-1"), Key("team", "qwen3")
HALF = Progress(stage="loading weights", bytes_done=50)


def a_pod(*, address: str = "10.0.0.7", started: bool = False, state: str = "running", **metadata: Any) -> Manifest:
    """A pod whose server loads, unless the test says otherwise."""
    container = {"name": names.CONTAINER, "started": started, "state": {state: {}}}
    return {
        "metadata": {"name": POD.name, "namespace": POD.namespace, "labels": names.labels(MODEL.name), **metadata},
        "status": {"podIP": address, "containerStatuses": [container]},
    }


def test_a_pod_whose_server_has_not_started_is_asked() -> None:
    """At its address, for its model."""
    loads = Loads(lambda _: None)

    loads.saw(POD, a_pod())

    assert loads.loaders == {POD: Loader(MODEL, "10.0.0.7")}


@pytest.mark.parametrize(
    "later",
    [
        None,
        a_pod(started=True),
        a_pod(state="waiting"),
        a_pod(address=""),
        a_pod(labels=None),
        a_pod(deletionTimestamp="2026-11-24T12:00:00Z"),
    ],
)
def test_a_pod_that_does_not_load_any_more_is_forgotten(later: Manifest | None) -> None:
    """With what it said."""
    loads = Loads(lambda _: None)
    loads.saw(POD, a_pod())
    loads.heard(POD, HALF)

    loads.saw(POD, later)

    assert loads.loaders == {}
    assert loads.of([POD]) == ()


def test_another_answer_wakes_the_model_and_the_same_one_does_not() -> None:
    """A load that stands still costs no write."""
    woken: list[Key] = []
    loads = Loads(woken.append)
    loads.saw(POD, a_pod())

    loads.heard(POD, HALF)
    loads.heard(POD, HALF)
    assert (woken, loads.of([POD])) == ([MODEL], (HALF,))

    loads.heard(POD, Progress(stage="loading weights", bytes_done=60))
    assert woken == [MODEL, MODEL]


def test_an_answer_that_comes_too_late_is_nothing() -> None:
    """The pod is gone, or ready."""
    woken: list[Key] = []
    loads = Loads(woken.append)

    loads.heard(POD, HALF)

    assert (woken, loads.of([POD])) == ([], ())
