"""The remedies of `kubectl qwen why`."""

import shlex

import pytest

from qwen_operator.cli import remedies
from qwen_operator.core.problems import Reason

FACTS = {"model": "qwen3", "namespace": "team", "claim": "models", "pod": "qwen3-1", "largest": 8192, "needed": 4}
NOTHING_TO_MEND = {
    Reason.ACCEPTED,
    Reason.APPLIED,
    Reason.SERVING,
    Reason.SETTLED,
    Reason.READY,
    Reason.NOT_IMPLEMENTED_YET,
    Reason.FITS,
    Reason.TIGHT,
    Reason.NOT_JUDGED,
    Reason.MODEL_FACTS_UNKNOWN,
    Reason.MODEL_NOT_ESTIMATED,
    Reason.GPU_MEMORY_UNKNOWN,
    Reason.WEIGHTS_VERIFIED,
    Reason.WEIGHTS_USED,
    Reason.WEIGHTS_FOUND,
    Reason.WEIGHTS_UNCHECKED,
}


def test_every_reason_that_something_is_wrong_has_a_command() -> None:
    """A new reason is given one in `remedies.COMMANDS`, or is nothing to mend and stands above."""
    assert set(Reason) - remedies.COMMANDS.keys() == NOTHING_TO_MEND


@pytest.mark.parametrize("reason", sorted(remedies.COMMANDS))
def test_a_command_is_whole_and_of_kubectl(reason: Reason) -> None:
    """Nothing is left to fill in."""
    found = remedies.commands(reason, FACTS)

    assert len(found) == len(remedies.COMMANDS[reason])
    assert all(command.startswith("kubectl ") and "%(" not in command for command in found)


def test_a_shell_hands_on_what_a_command_says() -> None:
    """The name of a resource has dots in it, which kubectl must not take for steps."""
    words = shlex.split(remedies.commands("InsufficientGPU", FACTS)[0])

    assert words[:4] == ["kubectl", "get", "nodes", "-o"]
    assert r"GPUS:.status.allocatable.nvidia\.com/gpu," in words[4]


def test_a_number_that_is_known_is_in_the_command_and_else_a_person_edits() -> None:
    """The largest context that fits is worth typing for somebody."""
    known = remedies.commands("KVCacheDoesNotFit", FACTS)
    unknown = remedies.commands("KVCacheDoesNotFit", FACTS | {"largest": None, "needed": None})

    assert known[0].endswith("""-p '{"spec":{"model":{"contextLength":8192}}}'""")
    assert unknown == ("kubectl edit qwenmodel qwen3 -n team",)


def test_a_reason_of_a_newer_operator_has_remedies_too() -> None:
    """The plug-in is on a laptop, and is not updated with the operator."""
    assert remedies.commands("ReasonOfTomorrow", FACTS)[0] == "kubectl edit qwenmodel qwen3 -n team"
