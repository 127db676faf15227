"""The page of reasons is whole, and its examples are what the programs really say."""

import pytest

from hack.generate import sayings, troubleshooting
from hack.generate.meanings import MEANINGS
from qwen_operator.cli import remedies
from qwen_operator.core.problems import Reason

PAGE = troubleshooting.document()
TOLD = [reason for meanings in MEANINGS.values() for reason in meanings]


def test_every_reason_that_something_can_be_done_about_has_one_section() -> None:
    """A new reason is given a meaning in `hack/generate/meanings.py`."""
    assert set(TOLD) == remedies.COMMANDS.keys()
    assert len(TOLD) == len(set(TOLD))


@pytest.mark.parametrize("reason", TOLD)
def test_a_section_says_what_it_means_and_what_to_type(reason: Reason) -> None:
    """An example with nothing left to fill in, a sentence more than the reason's own, and commands."""
    section = PAGE.partition(f"\n### {reason}\n")[2].partition("\n##")[0]
    example, meaning, typed = section.strip().split("\n\n")

    assert example.startswith("> ")
    assert "{" not in example.replace("{'model", "")
    assert meaning.endswith(".")
    assert reason.remedy not in meaning or not reason.remedy
    assert typed.startswith("```sh\nkubectl ")


@pytest.mark.parametrize("reason", [reason for reason in sayings.ENGINE if reason is not Reason.ENGINE_START_FAILED])
def test_an_engines_example_means_its_reason(reason: Reason) -> None:
    """The server itself judges the sentence so."""
    assert sayings.of_the_engine(reason) == reason.value


def test_a_recorded_sentence_is_quoted_and_not_invented() -> None:
    """What the scheduler really said stands in the example."""
    assert "0/1 nodes are available: 1 Insufficient nvidia.com/gpu." in sayings.saying(Reason.INSUFFICIENT_GPU)
    assert Reason.INSUFFICIENT_GPU not in sayings.CAUSES
