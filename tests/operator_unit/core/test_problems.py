"""Every reason has a sentence, a form that Kubernetes accepts, and says what to do where there is something to do."""

import re
from string import Formatter

import pytest

from qwen_operator.core.causes import fetching
from qwen_operator.core.problems import Reason

NOTHING_TO_DO = {
    Reason.ACCEPTED,
    Reason.APPLIED,
    Reason.SERVING,
    Reason.SETTLED,
    Reason.READY,
    Reason.NOT_IMPLEMENTED_YET,
    Reason.ROLLING_OUT,
    Reason.FITS,
    Reason.WEIGHTS_VERIFIED,
    Reason.WEIGHTS_USED,
    Reason.WEIGHTS_FOUND,
    Reason.WEIGHTS_UNCHECKED,
    Reason.MEASURING,
    Reason.NOT_JUDGED,
}
SAID_BY_THE_JOB = set(fetching.SPOKEN.values())
"""Its own sentence, quoted as {why}, ends with the remedy; tests/contract holds it to that."""


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_one_camel_case_word(reason: Reason) -> None:
    """As metav1.Condition demands; the CRD's pattern is the same."""
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]{2,62}", reason.value)


@pytest.mark.parametrize("reason", Reason)
def test_a_sentence_ends(reason: Reason) -> None:
    """By its own full stop, or by a quoted text, which gets one."""
    assert reason.sentence.endswith((".", "{why}"))


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in NOTHING_TO_DO | SAID_BY_THE_JOB])
def test_a_problem_says_what_to_do(reason: Reason) -> None:
    """In a sentence of its own."""
    assert reason.remedy.endswith(".")


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_becomes_a_problem_with_its_facts(reason: Reason) -> None:
    """No placeholder stays open."""
    names = {name for _, name, _, _ in Formatter().parse(reason.sentence + reason.remedy) if name}

    problem = reason.about(**{name: f"the-{name}" for name in names})

    assert problem.reason is reason
    assert "{" not in problem.message
    assert all(f"the-{name}" in problem.message for name in names)


def test_a_missing_fact_is_an_error() -> None:
    """Half a sentence never reaches a person."""
    with pytest.raises(KeyError):
        Reason.CLAIM_NOT_FOUND.about(claim="models")


def test_braces_in_a_fact_stay_as_they_are() -> None:
    """What a registry says is not a template."""
    assert "{json}" in Reason.API_REFUSED.about(kind="Service", name="x", why="{json}").message
