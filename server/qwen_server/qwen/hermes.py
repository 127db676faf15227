"""Calls as JSON between `<tool_call>` and `</tool_call>`: the format of Hermes, and of Qwen3 but for its coders.

Arguments are passed on as the model writes them, not read and written anew: what a client gets is what was said.
"""

import json
from collections.abc import Iterable

from qwen_server.qwen.calls import SPACE, Call, Calls, Reading
from qwen_server.qwen.json_reader import Malformed, Sink, is_object, members
from qwen_server.qwen.marks import CALL, CALL_END
from qwen_server.qwen.pieces import Arguments

ARGUMENTS = ("arguments", "parameters")
NOISE = SPACE + "}"
"""Some models close the object once too often."""


def hermes() -> Calls:
    """A parser of answers with such calls."""
    return Calls((CALL,), JsonCall)


class JsonCall(Call):
    """An object with a name and arguments, in either order. Without a mark before it, none is expected behind it."""

    def __init__(self, mark: str) -> None:
        self._name: list[str] = []
        self._arguments: list[str] = []
        self._passed_on = 0
        super().__init__(mark)

    def parts(self, text: str) -> Iterable[str]:
        """JSON is read by character."""
        return text

    def read(self) -> Reading:
        """Object, then mark."""
        try:
            yield from members(self._member)
            whole = True
        except Malformed:
            whole = False
        self._begin()
        if not self.began:
            return self.give_up()
        if not self._stream():
            self._arguments = list(self._decoded())
        self._add()
        self.close(complete=whole and is_object("".join(self._arguments)))
        return (yield from self.closing("", CALL_END, NOISE)) if self.mark else ""

    def pass_on(self) -> None:
        """Arguments that are an object, as they should be, are passed on as they come."""
        self._begin()
        if self.began and self._stream():
            self._add()

    def _member(self, key: str) -> Sink:
        if key == "name":
            return self._name.append
        return self._arguments.append if key in ARGUMENTS else lambda _: None

    def _begin(self) -> None:
        """The name is known when its closing quote is there."""
        if not self.began and len(self._name) > 2 and self._name[-1] == '"':
            try:
                self.begin(json.loads("".join(self._name)))
            except ValueError:
                return

    def _stream(self) -> bool:
        return self._arguments[:1] == ["{"]

    def _add(self) -> None:
        if new := "".join(self._arguments[self._passed_on :]):
            self._passed_on = len(self._arguments)
            self.pieces.append(Arguments(new))

    def _decoded(self) -> str:
        """Arguments that are missing are none; those wrapped in a string once more are taken out of it."""
        raw = "".join(self._arguments)
        if raw in ("", "null"):
            return "{}"
        try:
            inner = json.loads(raw)
        except ValueError:
            return raw
        return inner if isinstance(inner, str) and is_object(inner) else raw
