"""How far a load is: what a server says, and what becomes of it in the status."""

import pytest

from qwen_operator.core import status
from qwen_operator.core.progress import Progress, furthest_behind, progress
from qwen_operator.core.snapshot import Snapshot

HALF = (
    b'{"phase":"starting","stage":"loading weights","bytes_done":50,"bytes_total":100,"percent":50.9,'
    b'"seconds_left":7.2}'
)


def test_a_servers_answer_is_read_whatever_else_it_holds() -> None:
    """Fields that are not known are passed over."""
    said = progress(HALF)

    assert said == Progress(stage="loading weights", bytes_done=50, bytes_total=100, percent=50.9, seconds_left=7.2)
    assert said.summary == "loading weights 50%"


def test_without_a_total_there_is_a_stage_alone() -> None:
    """Nothing is made up."""
    said = progress(b'{"stage":"preparing","bytes_done":0,"bytes_total":null,"percent":null}')

    assert said is not None
    assert (said.summary, said.percent, said.seconds_left) == ("preparing", None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"stage":"Run this: <b>"}',
        b'{"stage":"loading weights","percent":101}',
        b'{"stage":"loading weights","bytes_done":-1}',
        b'{"stage":"loading weights","bytes_done":9223372036854775808}',
        b'{"stage":"loading weights","seconds_left":1e300}',
    ],
)
def test_whatever_could_not_be_written_into_a_status_is_no_answer(body: bytes) -> None:
    """A pod cannot keep its model's status from being written."""
    assert progress(body) is None


def test_of_several_replicas_the_one_that_has_read_least_counts() -> None:
    """Each is needed."""
    ahead, behind = (Progress(stage="loading weights", bytes_done=done) for done in (90, 10))

    assert furthest_behind((ahead, behind)) is behind
    assert furthest_behind(()) is None


def test_the_status_says_how_far_the_load_is_in_whole_numbers() -> None:
    """As the server said, rounded down: nothing is complete before it is."""
    said = progress(HALF)
    assert said is not None

    found = status.loading(Snapshot(loads=(said,)))

    assert found is not None
    assert (found.summary, found.percent, found.seconds_left) == ("loading weights 50%", 50, 7)
    assert (found.bytes_done, found.bytes_total) == (50, 100)
    assert status.loading(Snapshot()) is None
