"""How a command ends: the exit statuses, and the ways of not getting that far.

Why it exists: scripts branch on a number, people read one sentence. It must never hold a status that `--help` does not
list.
"""

YES = 0
NO = 1
USAGE = 2
UNKNOWN = 3
NOT_THERE = 4

FITS = YES
DOES_NOT_FIT = NO

OF_FIT = {
    FITS: "it fits (verdict Fits or Tight)",
    DOES_NOT_FIT: "it does not fit",
    USAGE: "the command can't be carried out as given",
    UNKNOWN: "it can't be told: the model can't be read, or its memory is not known",
}
"""Exit statuses of `kubectl qwen fit`, with a line for its help."""

DONE = {
    YES: "done",
    USAGE: "the command can't be carried out as given",
    UNKNOWN: "it can't be told or done: no cluster answers, or a right is missing",
    NOT_THERE: "there is no such model, or nothing of it by that name",
}
"""Exit statuses of a verb that asks a cluster."""

OF_A_MODEL = DONE | {
    YES: "the model is ready; of many, they could be listed",
    NO: "the model is not ready",
}
"""Exit statuses of a verb that says how a model does."""


class Ending(Exception):  # noqa: N818  (a sentence for a person)
    """The verb ends here, with a sentence and an exit status."""

    status = UNKNOWN


class Mistake(Ending):
    """The command can't be carried out as given."""

    status = USAGE


class Unknowable(Ending):
    """There is no answer."""


class Unseen(Unknowable):
    """There may be one, but the right to see it is missing."""


class NotThere(Ending):
    """What was named does not exist."""

    status = NOT_THERE


def listed(statuses: dict[int, str]) -> str:
    """Exit statuses as the last paragraph of a verb's help."""
    return "exit status:\n" + "\n".join(f"  {status}  {statuses[status]}" for status in sorted(statuses))
