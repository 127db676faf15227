"""What a model's markup says, piece by piece: the words that the parsers of this package speak.

However a text is cut on its way, the pieces put together are the same: a stream and a whole reply agree to the
character. It must never know how a piece is worded for a client. Pieces are not frozen: one is made for every
chunk, and a frozen one takes three times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Text:
    """A part of the answer."""

    text: str


@dataclass(slots=True)
class Thought:
    """A part of the reasoning before the answer."""

    text: str


@dataclass(slots=True)
class CallBegan:
    """The model calls a tool; its arguments follow."""

    name: str


@dataclass(slots=True)
class Arguments:
    """A part of the running call's arguments, as JSON."""

    text: str


@dataclass(slots=True)
class CallEnded:
    """The running call ended. `complete` is False where it was cut off, so that nobody takes half of it for all."""

    complete: bool


Piece = Text | Thought | CallBegan | Arguments | CallEnded


class Markup(Protocol):
    """A parser of one answer."""

    def feed(self, text: str) -> Sequence[Piece]:
        """What the next part of the model's text adds; the end of it may be held back."""

    def end(self) -> Sequence[Piece]:
        """What was held back: nothing comes any more. A call that is still open is ended as incomplete."""
