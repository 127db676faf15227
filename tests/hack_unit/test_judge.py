"""Findings of judges against their answers, and bills of materials against pins; the judges run in `make judge`."""

import json
from pathlib import Path

from hack.judge.answers import ANSWERS
from hack.judge.findings import Finding, unanswered
from hack.judge.sbom import components, pins

FOUND = Finding("bandit", "B999", "hack/x.py", "It is bad.")


def test_a_finding_with_an_answer_is_not_told() -> None:
    """By rule and place, where a place may be a pattern."""
    assert unanswered([FOUND], {("B999", "hack/x.py"): "a reason"}) == []
    assert unanswered([FOUND, FOUND], {("B999", "hack/*"): "a reason"}) == []


def test_a_finding_without_an_answer_is_told_with_its_place() -> None:
    """An answer to another rule, or for another place, does not count."""
    sentence = "bandit B999 at hack/x.py: It is bad."
    other = [Finding("bandit", "B998", "hack/x.py", "x"), Finding("bandit", "B999", "hack/y.py", "x")]
    answers = {("B998", "hack/x.py"): "a reason", ("B999", "hack/y.py"): "a reason"}

    assert unanswered([FOUND, *other], answers) == [sentence]


def test_an_answer_to_what_is_found_no_longer_is_told() -> None:
    """Else the list would only grow, and one day answer something new."""
    told = unanswered([FOUND], {("B999", "hack/x.py"): "a reason", ("B1", "old.py"): "a reason"})

    assert told == ["B1 at old.py is found no longer: take its answer out of hack/judge/answers.py."]


def test_every_answer_has_a_reason() -> None:
    """In words."""
    assert [key for key, reason in ANSWERS.items() if len(reason.split()) < 3] == []


def test_a_package_that_a_bill_lacks_is_seen(tmp_path: Path) -> None:
    """Names are compared as package indexes write them."""
    requirements, bill = tmp_path / "r.txt", tmp_path / "b.json"
    requirements.write_text("A_b.c==1 ; python_version < '4' \\\n    --hash=sha256:0\nother==2\n")
    bill.write_text(json.dumps({"components": [{"name": "a-b-c"}]}))

    assert pins(requirements) - components(bill) == {"other"}
