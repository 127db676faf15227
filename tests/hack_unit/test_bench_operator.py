"""The operator's figures: how limits are read and judged, and how a record looks."""

from xml.etree import ElementTree as ET

import pytest

from hack.bench_operator.chart import chart
from hack.bench_operator.limits import What, broken_by_a_commit, grown, limits, missed
from hack.bench_operator.report import BEGIN, END, held_to, section, table
from hack.bench_server.report import NEXT, page

FOUND = {
    100: {What.CROWD_SECONDS: 0.5, What.CROWD_CPU: 4.0},
    1000: {What.CROWD_SECONDS: 11.0, What.CROWD_CPU: 4.0, What.CROWD_READS: 0},
    5000: {What.CROWD_SECONDS: 44.0, What.CROWD_CPU: 5.0},
}
WITHIN = {limit.what: limit.commit for limit in limits() if limit.commit is not None}


def test_every_figure_has_one_limit_and_every_limit_a_figure() -> None:
    """A figure that nobody judges is not measured, and none is judged twice."""
    assert sorted(limit.figure for limit in limits()) == sorted(what.name for what in What)


def test_a_limit_may_differ_by_the_number_of_models() -> None:
    """Without one for a number, nothing is judged."""
    limit = next(each for each in limits() if each.what is What.CROWD_SECONDS)
    assert [limit.verdict(10.0, count) for count in (100, 1000, 7)] == ["MISSED", "PASS", ""]
    assert held_to(limit, [100, 1000, 5000]) == "1 / 10 / 50 s"


def test_what_is_missed_is_named_with_its_figure() -> None:
    """And nothing else is."""
    assert missed(FOUND) == ["new models, until every status is written, 1000 models: 11 s"]


def test_growth_is_that_of_five_times_as_many_models() -> None:
    """Of the time, and of all CPU."""
    figures = grown(FOUND)[5000]
    assert (figures[What.GROWTH_SECONDS], figures[What.GROWTH_CPU]) == (4.0, 6.25)
    assert grown({100: FOUND[100]}) == {100: FOUND[100]}


@pytest.mark.parametrize("what", WITHIN)
def test_a_commit_that_goes_beyond_a_limit_or_does_not_measure_it_fails(what: What) -> None:
    """Each of them alone; at the limit is within it."""
    assert broken_by_a_commit(WITHIN) == []
    assert len(broken_by_a_commit(WITHIN | {what: WITHIN[what] + 0.01})) == 1
    assert len(broken_by_a_commit({key: value for key, value in WITHIN.items() if key is not what})) == 1


def test_a_commit_is_not_judged_by_wall_time() -> None:
    """It would be judged by what else the machine does."""
    assert not any(limit.unit in ("s", "ms") and limit.what is not What.CROWD_CPU for limit in limits() if limit.commit)


def test_a_broken_limit_is_seen_in_the_table() -> None:
    """What was not measured is an empty cell, or no row at all."""
    lines = table(FOUND).splitlines()
    assert lines[0].endswith("| 100 models | 1,000 models | 5,000 models |")
    assert lines[2].endswith("| 0.5 | **11** missed | 44 |")
    assert any(line.endswith("|  | 0 |  |") for line in lines)
    assert "kubectl qwen status" not in table(FOUND)


def test_the_section_is_written_once_and_anew_in_its_place() -> None:
    """What stands around it stays."""
    marks = {"begin": BEGIN, "end": END}
    first = page(f"# Figures\n\nabove\n\n{NEXT}\n\nbelow\n", section(FOUND, "a machine", "make"), **marks)
    assert page(first, section(FOUND, "another machine", "make"), **marks) == first.replace(
        "a machine", "another machine"
    )
    assert first.index("above") < first.index(BEGIN) < first.index(END) < first.index(NEXT) < first.index("below")


def test_the_picture_has_a_bar_for_each_figure_with_a_limit_of_more_than_nothing() -> None:
    """Its colour says whether the limit holds."""
    root = ET.fromstring(chart(FOUND))  # noqa: S314 - our own
    bars = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if each.get("fill") != "#ffffff"]
    assert [each.get("fill") for each in bars] == ["#2f7d4f", "#b3442e", "#2f7d4f", "#2f7d4f", "#2f7d4f", "#2f7d4f"]
