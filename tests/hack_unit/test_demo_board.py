"""Steps as a person sees them (hack/demo/board.py)."""

import io

import pytest
from rich.console import Console

from hack.cluster.steps import State, Step
from hack.demo.board import Ledger, Lines, duration, table


class Clock:
    """A clock that is moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time now."""
        return self.now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (42.3, "42 s"), (59.6, "1 min 00 s"), (187, "3 min 07 s")],
)
def test_a_duration_is_written_as_a_person_says_it(seconds: float, words: str) -> None:
    """Tenths below ten seconds, minutes from one minute on."""
    assert duration(seconds) == words


def test_a_running_steps_clock_goes_on_between_two_reports() -> None:
    """A step that says nothing for a minute still shows that it lives."""
    clock = Clock()
    ledger = Ledger(clock)
    ledger(Step("Images", State.RUNNING, "building", 2.0))

    clock.now += 60

    assert ledger.elapsed(ledger.steps()[0]) == 62.0


def test_the_table_shows_each_step_once_with_its_last_words() -> None:
    """Reports of one title are one line, in the order the steps began."""
    ledger = Ledger()
    ledger(Step("Cluster", State.RUNNING, "starting", 0.1))
    ledger(Step("Cluster", State.DONE, "node Ready", 5.0))
    ledger(Step("Images", State.FAILED, "no space", 9.0))

    drawn = io.StringIO()
    Console(width=100, file=drawn).print(table(ledger))
    lines = [line.split() for line in drawn.getvalue().splitlines()]

    assert lines == [["✓", "Cluster", "5.0", "s", "node", "Ready"], ["✗", "Images", "9.0", "s", "no", "space"]]


def test_plain_lines_are_thinned_out() -> None:
    """A log gets the begin, the end, and news each quarter of a minute at most."""
    clock, said = Clock(), list[str]()
    report = Lines(Ledger(clock), said.append, clock)

    for second in range(60):
        clock.now = 100.0 + second
        report(Step("Images", State.RUNNING, f"layer {min(second, 30)}", float(second)))
    report(Step("Images", State.DONE, "built", 40.0))

    assert said == [
        "• Images …",
        "    Images: layer 14",
        "    Images: layer 29",
        "    Images: layer 30",
        "✓ Images: built (40 s)",
    ]
