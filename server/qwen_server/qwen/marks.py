"""Looking for marks in a text that arrives in parts: what may be the beginning of one is held back."""

from collections.abc import Sequence

CALL, CALL_END = "<tool_call>", "</tool_call>"
"""Around a call, in both formats."""
EDGE = "\n"
"""What models put around their marks, and what is no part of the text between them."""


def cut(text: str, marks: Sequence[str]) -> tuple[str, str, str]:
    """Text before the first mark, the mark (empty if there is none), and what is left to look at later.

    Every mark must begin with its only `<`.
    """
    found = min(((at, mark) for mark in marks if (at := text.find(mark)) >= 0), default=None)
    if found is not None:
        at, mark = found
        return text[:at], mark, text[at + len(mark) :]
    at = text.rfind("<")
    if at >= 0 and any(mark.startswith(text[at:]) for mark in marks):
        return text[:at], "", text[at:]
    return text, "", ""


class Trimmed:
    """A text as it arrives, whose line breaks at the end are held back until more text follows them."""

    def __init__(self) -> None:
        self._tail = ""

    def feed(self, text: str) -> str:
        """What can be passed on."""
        whole = self._tail + text
        kept = whole.rstrip(EDGE)
        self._tail = whole[len(kept) :]
        return kept

    def rest(self) -> str:
        """The line breaks that were held back."""
        tail, self._tail = self._tail, ""
        return tail
