"""How a command ends: the exit statuses, and the two ways of not getting that far.

Why it exists: scripts branch on a number, people read one sentence. It must never hold a status that `--help` does not
list.
"""

FITS = 0
DOES_NOT_FIT = 1
USAGE = 2
UNKNOWN = 3

STATUSES = {
    FITS: "it fits (verdict Fits or Tight)",
    DOES_NOT_FIT: "it does not fit",
    USAGE: "the command can't be carried out as given",
    UNKNOWN: "it can't be told: the model can't be read, or its memory is not known",
}
"""Exit statuses of `kubectl qwen fit`, with a line for its help."""


class Mistake(Exception):  # noqa: N818  (a sentence for the person who typed)
    """The command can't be carried out as given; exit status `USAGE`."""


class Unknowable(Exception):  # noqa: N818  (a sentence for the person who asked)
    """There is no answer; exit status `UNKNOWN`."""
