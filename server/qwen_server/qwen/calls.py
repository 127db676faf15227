"""Calls between marks in an answer, whatever the format of what stands inside.

Text between calls is passed on without the line breaks that belong to the marks. What looks like a call and is none is
text: nothing that a model says is lost.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Sequence

from qwen_server.qwen.marks import Trimmed, cut
from qwen_server.qwen.pieces import Arguments, CallBegan, CallEnded, Piece, Text

SPACE = " \t\r\n"

Reading = Generator[None, str, str]
"""Takes what arrives, and returns what is left behind the call."""


class Call(ABC):
    """One call, read by a generator; what it finds goes into `pieces`."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.pieces: list[Piece] = []
        self.began = False
        self.ended = False
        self._raw = ""
        self._reading = self.read()
        next(self._reading)

    @abstractmethod
    def read(self) -> Reading:
        """Reads the whole call."""

    @abstractmethod
    def pass_on(self) -> None:
        """Add to `pieces` what is known by now, at the end of each part."""

    def parts(self, text: str) -> Iterable[str]:
        """What the reading takes at once."""
        return (text,)

    def feed(self, text: str) -> tuple[Sequence[Piece], str | None]:
        """Pieces, and what is left behind the call's end; None while it goes on."""
        self.pieces = []
        done = 0
        for part in self.parts(text):
            done += len(part)
            self._raw += "" if self.began else part
            try:
                self._reading.send(part)
            except StopIteration as end:
                return self.pieces, str(end.value) + text[done:]
        self.pass_on()
        return self.pieces, None

    def end(self) -> Sequence[Piece]:
        """The answer ended within the call: one that had begun is incomplete, and anything else was text."""
        self.pieces = []
        if not self.began:
            return [Text(self.mark + self._raw)]
        if self.ended:
            return []
        self.pass_on()
        return [*self.pieces, CallEnded(complete=False)]

    def begin(self, name: str) -> None:
        """The call's name is known: from now on it is a call, come what may."""
        self.began = True
        self.pieces.append(CallBegan(name))

    def close(self, *, complete: bool = True) -> None:
        """The call is over, but for its closing mark."""
        self.ended = True
        self.pieces.append(CallEnded(complete))

    def give_up(self) -> str:
        """It was no call: its mark is text, and what stood behind it is looked at again."""
        self.pieces.append(Text(self.mark))
        return self._raw

    def closing(self, text: str, mark: str, noise: str = SPACE) -> Reading:
        """Between the end of a call and its closing mark there is at most noise; else the mark was forgotten."""
        while not (bare := text.lstrip(noise)).startswith(mark):
            if not mark.startswith(bare):
                return text
            text += yield
        return bare.removeprefix(mark)


class Calls:
    """Text and calls in turn.

    :param marks: each begins a call.
    :param call: makes a reader of what follows the mark.
    """

    def __init__(self, marks: Sequence[str], call: Callable[[str], Call]) -> None:
        self._marks = marks
        self._new_call = call
        self._call: Call | None = None
        self._text = Trimmed()
        self._held = ""
        self._after_call = False

    def feed(self, text: str) -> Sequence[Piece]:
        """Texts and calls as far as they are known."""
        pieces: list[Piece] = []
        rest: str | None = text
        while rest is not None:
            rest = self._within(self._call, rest, pieces) if self._call else self._between(rest, pieces)
        return merged(pieces)

    def end(self) -> Sequence[Piece]:
        """Line breaks at the end of an answer are its own, but behind a call they belong to the mark."""
        pieces: list[Piece] = []
        if self._call is not None:
            self._take(self._call.end(), pieces)
        self._say(self._held, pieces)
        if (tail := self._text.rest()) and not self._after_call:
            pieces.append(Text(tail))
        return merged(pieces)

    def _between(self, text: str, pieces: list[Piece]) -> str | None:
        before, mark, rest = cut(self._held + text, self._marks)
        self._say(before, pieces)
        self._held = "" if mark else rest
        if not mark:
            return None
        self._call = self._new_call(mark)
        return rest

    def _within(self, call: Call, text: str, pieces: list[Piece]) -> str | None:
        found, rest = call.feed(text)
        self._take(found, pieces)
        if rest is not None:
            self._call = None
        return rest

    def _take(self, found: Iterable[Piece], pieces: list[Piece]) -> None:
        """A call takes the line breaks before it away; one that turned out to be text does not."""
        for piece in found:
            if isinstance(piece, Text):
                self._say(piece.text, pieces)
                continue
            if isinstance(piece, CallBegan):
                self._text.rest()
                self._after_call = True
            pieces.append(piece)

    def _say(self, text: str, pieces: list[Piece]) -> None:
        if shown := self._text.feed(text):
            self._after_call = False
            pieces.append(Text(shown))


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of the same kind as one piece."""
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if isinstance(piece, Text | Arguments) and type(last) is type(piece):
            result[-1] = type(piece)(last.text + piece.text)
        else:
            result.append(piece)
    return result
