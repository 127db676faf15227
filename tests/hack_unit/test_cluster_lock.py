"""One run at a time (hack/cluster/lock.py)."""

from pathlib import Path

import pytest

from hack.cluster.errors import ClusterError
from hack.cluster.lock import exclusive, refusal


def test_the_refusal_says_who_is_at_it_and_what_to_do() -> None:
    """One sentence."""
    assert refusal(Path("/a/.local/cluster"), "`up` (process 12)") == (
        "`up` (process 12) is at work in /a/.local/cluster: wait until it has ended, then run this again."
    )


def test_a_holder_that_has_not_written_its_name_yet_is_called_another_run() -> None:
    """There is a moment between taking the lock and saying who took it."""
    assert refusal(Path("/a"), "").startswith("Another run is at work in /a")


def test_a_second_run_is_refused_with_the_first_ones_name(tmp_path: Path) -> None:
    """The lock names its holder."""
    lock = tmp_path / "cluster" / "lock"

    with (
        exclusive(lock, "up"),
        pytest.raises(ClusterError, match=r"^`up` \(process \d+\) is at work"),
        exclusive(lock, "down"),
    ):
        pytest.fail("two runs at once")


def test_the_lock_is_free_after_a_run_however_it_ended(tmp_path: Path) -> None:
    """An error lets it go too."""
    lock = tmp_path / "lock"

    with pytest.raises(ZeroDivisionError), exclusive(lock, "up"):
        raise ZeroDivisionError

    with exclusive(lock, "down"):
        assert lock.read_text().startswith("`down` ")
