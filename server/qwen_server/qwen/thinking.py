"""Reasoning between `<think>` and `</think>`, and the answer behind it.

Some templates open the reasoning in the prompt, so that only its end is in the answer; some models write both marks;
those that do not think write neither. Which of them it is must never be guessed from a name: the prompt tells.
"""

from collections.abc import Sequence

from qwen_server.qwen.marks import CALL, EDGE, Trimmed, cut
from qwen_server.qwen.pieces import Markup, Piece, Thought

BEGIN, END = "<think>", "</think>"


class Thinking:
    """Splits reasoning off, and hands the answer to the next parser.

    :param opened: the prompt ends within the reasoning.
    """

    def __init__(self, answer: Markup, *, opened: bool) -> None:
        self._answer = answer
        self._thought = Trimmed()
        self._begun = False
        self._held = ""
        self._read = self._thinking if opened else self._deciding

    def feed(self, text: str) -> Sequence[Piece]:
        """A call within the reasoning ends it, as models forget to."""
        return self._read(self._held + text)

    def end(self) -> Sequence[Piece]:
        """Reasoning that was cut off stays reasoning."""
        held, self._held = self._held, ""
        if self._read == self._thinking:
            return self._think(held)
        return [*self._answer.feed(held), *self._answer.end()]

    def _deciding(self, text: str) -> Sequence[Piece]:
        """Nothing but white space and perhaps the beginning of the mark has come."""
        bare = text.lstrip()
        if len(bare) < len(BEGIN) and BEGIN.startswith(bare):
            self._held = text
            return []
        self._held = ""
        if bare.startswith(BEGIN):
            self._read = self._thinking
            return self._read(bare.removeprefix(BEGIN))
        self._read = self._answering
        return self._read(text)

    def _thinking(self, text: str) -> Sequence[Piece]:
        before, mark, self._held = cut(text, (END, CALL))
        pieces = self._think(before)
        if mark:
            rest, self._held = self._held, ""
            self._read = self._beginning
            pieces.extend(self._read(CALL + rest if mark == CALL else rest))
        return pieces

    def _think(self, text: str) -> list[Piece]:
        """Reasoning without the line breaks around it."""
        if not self._begun:
            text = text.lstrip(EDGE)
            self._begun = bool(text)
        thought = self._thought.feed(text)
        return [Thought(thought)] if thought else []

    def _beginning(self, text: str) -> Sequence[Piece]:
        """The answer begins behind the line breaks that follow the reasoning."""
        text = text.lstrip(EDGE)
        if not text:
            return []
        self._read = self._answering
        return self._read(text)

    def _answering(self, text: str) -> Sequence[Piece]:
        return self._answer.feed(text)
