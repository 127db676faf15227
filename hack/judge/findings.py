"""What judges found against what was answered. Runs nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

Answers = Mapping[tuple[str, str], str]
"""Rule and place (a pattern as for file names) to the reason why it stays as it is."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that a judge does not like."""

    judge: str
    rule: str
    place: str
    """File, or kind and name of an object."""
    words: str


def unanswered(found: Iterable[Finding], answers: Answers) -> list[str]:
    """One sentence a finding without an answer, and one an answer without a finding."""
    findings = sorted(set(found))
    fresh = [each for each in findings if not any(answers_it(key, each) for key in answers)]
    stale = [key for key in answers if not any(answers_it(key, each) for each in findings)]
    return [f"{each.judge} {each.rule} at {each.place}: {each.words}" for each in fresh] + [
        f"{rule} at {place} is found no longer: take its answer out of hack/judge/answers.py." for rule, place in stale
    ]


def answers_it(key: tuple[str, str], finding: Finding) -> bool:
    """Whether a recorded answer is about this finding."""
    rule, place = key
    return rule == finding.rule and fnmatchcase(finding.place, place)
