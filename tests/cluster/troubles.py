"""A trouble, and how a test sees that it was told: the condition for machines, the sentence and `why` for a person."""

from dataclasses import dataclass, field
from typing import Any

from hack.demo.model import condition
from tests.cluster.plugin import only_looks, typed, why
from tests.cluster.stage import Stage, eventually

Manifest = dict[str, Any]

TRIED = set[tuple[str, ...]]()
"""Commands that were typed, without the model's name: one form is tried once."""


@dataclass(frozen=True)
class Trouble:
    """A spec, the reason that its condition must come to, words of the sentence, and the first command to type."""

    spec: dict[str, Any]
    reason: str
    words: tuple[str, ...]
    remedy: str
    """How the first command begins; `{it}` stands for the model and its namespace, as kubectl is told of them."""
    kind: str = "Available"
    beside: tuple[Manifest, ...] = field(default=())
    """What must be there first."""


def is_told(stage: Stage, name: str, trouble: Trouble, seconds: float = 240) -> None:
    """The condition gives the reason and Ready the same, the sentence has the words, and `why` what to type."""
    model = stage.await_reason(name, trouble.kind, trouble.reason, seconds=seconds)
    found, ready = condition(model, trouble.kind), condition(model, "Ready")
    assert found["status"] == "False"
    assert [words for words in trouble.words if words not in found["message"]] == []
    assert (ready["status"], ready["reason"]) == ("False", trouble.reason)
    _is_followed(stage, name, trouble)


def _is_followed(stage: Stage, name: str, trouble: Trouble) -> None:
    """`why` comes to the same reason; what it says to type works, as far as it only looks."""
    account = eventually(lambda: _same(stage, name, trouble.reason), f"why tells {trouble.reason} of {name}", 30)
    commands = account["commands"]
    assert commands[0].startswith(trouble.remedy.format(it=f"{name} -n {stage.namespace}")), commands
    for command in filter(only_looks, commands):
        form = tuple(word for word in command.split() if name not in word)
        if form not in TRIED:
            eventually(lambda: _works(stage, command), f"{command!r} works", 30)  # noqa: B023  (asked before the next)
            TRIED.add(form)


def _same(stage: Stage, name: str, reason: str) -> dict[str, Any] | None:
    """What `why` tells, once it is about that reason: a crashing model changes from one look to the next."""
    account = why(stage, name)
    return account if account["reason"] == reason and not account["ready"] else None


def _works(stage: Stage, command: str) -> bool:
    """Whether a command ends well; the log of a former run is there only after the next one began."""
    return typed(stage, command).returncode == 0
