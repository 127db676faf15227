"""Limits beside what was measured (hack/demo/figures.py)."""

from hack.cluster.steps import State, Step
from hack.demo.figures import (
    AGAIN,
    CLUSTER_UP,
    FROM_NOTHING,
    LIMITS,
    OPERATOR_MEMORY,
    PAGE,
    READY,
    cluster_up,
    judged,
    overall,
    page,
)

STEPS = (
    Step("Machine", State.DONE, "", 0.4),
    Step("Kubernetes", State.DONE, "", 380.0),
    Step("Node", State.DONE, "", 5.8),
    Step("Images", State.DONE, "", 251.0),
)


def test_every_limit_is_judged_and_what_was_not_measured_says_so() -> None:
    """A run from nothing says nothing about the second run."""
    rows = {limit: (words, holds) for limit, words, holds in judged({READY: 34.2, OPERATOR_MEMORY: 71.0})}

    assert set(rows) == set(LIMITS)
    assert rows[READY] == ("34 s", True)
    assert rows[OPERATOR_MEMORY] == ("71 MB", False)
    assert rows[AGAIN] == ("not in this run", None)


def test_a_page_keeps_what_this_run_did_not_measure() -> None:
    """The run from nothing and the second run fill one table together."""
    first = page({FROM_NOTHING: 1103, CLUSTER_UP: 6.2}, "a machine", "", STEPS)

    second = page({AGAIN: 42, CLUSTER_UP: 5.1}, "a machine", first, STEPS)

    assert f"| {FROM_NOTHING.what} | 20 min 00 s | 18 min 23 s |" in second
    assert f"| {AGAIN.what} | 3 min 00 s | 42 s |" in second
    assert f"| {CLUSTER_UP.what} | 15 s | 5.1 s |" in second
    assert f"| {READY.what} | 1 min 00 s | not yet |" in second


def test_what_a_person_wrote_on_the_page_stays() -> None:
    """Words and other tables are not the demo's to change."""
    before = (
        f"# Figures\n\nWords.\n\n| {AGAIN.what} | 3 min | not yet |\n\n| other | measured |\n|---|---|\n| x | 1 |\n"
    )

    after = page({AGAIN: 42}, "a machine", before, STEPS)

    assert after.startswith("# Figures\n\nWords.\n")
    assert f"| {AGAIN.what} | 3 min | 42 s |" in after
    assert "| x | 1 |" in after


def test_a_page_names_the_machine_and_where_the_time_went_once() -> None:
    """A figure without its machine says nothing, and an older run's steps are gone."""
    first = page({}, "an old machine", "", STEPS)

    text = page({}, "AMD EPYC, 2 cores", first, STEPS)

    assert "On AMD EPYC, 2 cores:" in text
    assert "old machine" not in text
    assert text.count("| Images | 4 min 11 s |") == 1


def test_the_page_in_the_tree_has_a_line_for_every_limit() -> None:
    """Otherwise a recorded figure would be lost without a word."""
    names = {line.strip("|").split("|")[0].strip() for line in PAGE.read_text().splitlines()}

    assert [limit.what for limit in LIMITS if limit.what not in names] == []


def test_the_whole_time_counts_only_from_nothing_or_with_everything() -> None:
    """A run that found half of it proves neither limit."""
    assert overall(900, found=(), complete=False) == {FROM_NOTHING: 900}
    assert overall(40, found=("images",), complete=True) == {AGAIN: 40}
    assert overall(300, found=("images",), complete=False) == {}


def test_the_clusters_start_leaves_its_build_out() -> None:
    """The limit is about binaries in the cache; a cluster that was up already says nothing."""
    assert cluster_up(STEPS) == {CLUSTER_UP: 6.2}
    assert cluster_up(STEPS[:1]) == {}
