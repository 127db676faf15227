"""Which pods are asked how far they are, and whom their answers wake."""

from typing import Any

import pytest

from qwen_operator.core import names
from qwen_operator.core.progress import Figures, Progress
from qwen_operator.core.snapshot import Manifest
from qwen_operator.keys import Key
from qwen_operator.loads import Loader, Loads

POD, MODEL = Key("team", "qwen3-1"), Key("team", "qwen3")
HALF = Progress(stage="loading weights", bytes_done=50)


def a_pod(
    *,
    address: str = "10.0.0.7",
    started: bool = False,
    state: str = "running",
    began: str = "2026-11-24T12:00:00Z",
    **metadata: Any,
) -> Manifest:
    """A pod whose server loads, unless the test says otherwise."""
    container = {"name": names.CONTAINER, "started": started, "state": {state: {"startedAt": began}}}
    return {
        "metadata": {"name": POD.name, "namespace": POD.namespace, "labels": names.labels(MODEL.name), **metadata},
        "status": {"podIP": address, "containerStatuses": [container]},
    }


def heard(loads: Loads, said: Progress) -> None:
    """The pod answers at once; whoever is not to be asked any more may have been before."""
    loads.heard(POD, loads.loaders.get(POD, Loader(MODEL, "10.0.0.7")), said)


def test_a_pod_whose_server_has_not_started_is_asked() -> None:
    """At its address, for its model."""
    loads = Loads(lambda _: None)

    loads.saw(POD, a_pod())

    assert loads.loaders == {POD: Loader(MODEL, "10.0.0.7")}


@pytest.mark.parametrize(
    "later",
    [
        None,
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
    heard(loads, HALF)

    loads.saw(POD, later)

    assert loads.loaders == {}
    assert loads.of([POD]) == ()


def test_another_answer_wakes_the_model_and_the_same_one_does_not() -> None:
    """A load that stands still costs no write."""
    woken: list[Key] = []
    loads = Loads(woken.append)
    loads.saw(POD, a_pod())

    heard(loads, HALF)
    heard(loads, HALF)
    assert (woken, loads.of([POD])) == ([MODEL], (HALF,))

    heard(loads, Progress(stage="loading weights", bytes_done=60))
    assert woken == [MODEL, MODEL]


def test_an_answer_that_comes_too_late_is_nothing() -> None:
    """The pod is gone, or ready."""
    woken: list[Key] = []
    loads = Loads(woken.append)

    heard(loads, HALF)

    assert (woken, loads.of([POD])) == ([], ())


CAME_TO = Figures(cache_tokens=123_456, load_seconds=12.5)


def test_a_replica_that_has_started_is_asked_once_what_its_load_came_to() -> None:
    """And again after a restart of its server; its progress is history."""
    woken: list[Key] = []
    loads = Loads(woken.append)
    loads.saw(POD, a_pod())
    heard(loads, HALF)

    loads.saw(POD, a_pod(started=True))
    assert list(loads.loaders) == [POD]
    heard(loads, Progress(stage="ready", measured=CAME_TO))

    assert loads.loaders == {}
    assert (loads.of([POD]), loads.came_to([POD])) == ((), (CAME_TO,))
    assert woken == [MODEL, MODEL]
    loads.saw(POD, a_pod(started=True))
    assert loads.loaders == {}
    loads.saw(POD, a_pod(started=True, began="2026-11-24T13:00:00Z"))
    assert list(loads.loaders) == [POD]


def test_a_replica_that_has_nothing_to_tell_is_not_asked_for_ever() -> None:
    """One answer is enough."""
    loads = Loads(lambda _: None)
    loads.saw(POD, a_pod(started=True))

    heard(loads, Progress(stage="ready"))

    assert loads.loaders == {}
    assert loads.came_to([POD]) == ()


def test_an_answer_from_before_the_end_of_a_load_is_not_its_last() -> None:
    """It was on its way while the pod became ready, and tells nothing of what the load came to."""
    woken: list[Key] = []
    loads = Loads(woken.append)
    loads.saw(POD, a_pod())
    asked = loads.loaders[POD]

    loads.saw(POD, a_pod(started=True))
    loads.heard(POD, asked, HALF)

    assert (woken, loads.of([POD])) == ([], ())
    heard(loads, Progress(stage="ready", measured=CAME_TO))
    assert loads.came_to([POD]) == (CAME_TO,)


def test_figures_go_with_their_pod() -> None:
    """A successor has its own."""
    loads = Loads(lambda _: None)
    loads.saw(POD, a_pod(started=True))
    heard(loads, Progress(stage="ready", measured=CAME_TO))

    loads.saw(POD, None)

    assert loads.came_to([POD]) == ()
