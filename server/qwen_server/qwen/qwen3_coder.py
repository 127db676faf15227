"""Calls as `<function=…>` with `<parameter=…>` inside of `<tool_call>`: the format of Qwen3-Coder and of Qwen3.5.

Values are bare text, so their types come from the tool's schema. Text is passed on as it comes, every other value when
it is whole.
"""

import json
from collections.abc import Callable, Generator, Mapping, Sequence

from qwen_server.qwen.calls import Call, Calls, Reading
from qwen_server.qwen.json_reader import Malformed
from qwen_server.qwen.marks import CALL, CALL_END, EDGE, cut
from qwen_server.qwen.pieces import Arguments
from qwen_server.qwen.schema import TEXT, Parameters, value

FUNCTION, FUNCTION_END = "<function=", "</function>"
PARAMETER, PARAMETER_END = "<parameter=", "</parameter>"
BETWEEN = (PARAMETER, FUNCTION_END, CALL_END)
WITHIN = (PARAMETER_END, PARAMETER, FUNCTION_END)
"""What ends a value; some models forget its own mark."""


def qwen3_coder(tools: Mapping[str, Parameters]) -> Calls:
    """A parser of answers with such calls. Some models forget the outer marks.

    :param tools: types of the parameters by the function's name. A value of which nothing is known is text.
    """
    return Calls((CALL, FUNCTION), lambda mark: XmlCall(mark, tools))


class XmlCall(Call):
    """A function with its parameters."""

    def __init__(self, mark: str, tools: Mapping[str, Parameters]) -> None:
        self._tools = tools
        self._text = ""
        self._json: list[str] = []
        super().__init__(mark)

    def read(self) -> Reading:
        """Name, parameters, marks."""
        try:
            if self.mark == CALL:
                yield from self._expect(FUNCTION)
            name = yield from self._word()
        except Malformed:
            return self.give_up()
        self.begin(name)
        mark = yield from self._parameters(self._tools.get(name, {}))
        self.pass_on()
        self.close()
        return self._text if mark == CALL_END else (yield from self.closing(self._text, CALL_END))

    def pass_on(self) -> None:
        """The JSON that is known by now."""
        if self._json:
            self.pieces.append(Arguments("".join(self._json)))
            self._json.clear()

    def _parameters(self, types: Parameters) -> Generator[None, str, str]:
        """All parameters as one JSON object; the mark behind it."""
        opening = "{"
        mark = yield from self._until(BETWEEN, ignore)
        while mark == PARAMETER:
            name = yield from self._word(lenient=True)
            self._json.append(f"{opening}{json.dumps(name, ensure_ascii=False)}: ")
            mark = yield from self._value(types.get(name, TEXT))
            opening = ", "
        self._json.append("{}" if opening == "{" else "}")
        return mark

    def _value(self, types: frozenset[str]) -> Generator[None, str, str]:
        """One value without the line breaks around it; the mark behind it and its own."""
        bare = Bare(self._json.append) if types == TEXT else Bare()
        mark = yield from self._until(WITHIN, bare.feed)
        self._json.append(bare.closed(types))
        return (yield from self._until(BETWEEN, ignore)) if mark == PARAMETER_END else mark

    def _until(self, marks: Sequence[str], sink: Callable[[str], None]) -> Generator[None, str, str]:
        """Everything before the next of these marks goes to the sink."""
        while True:
            before, mark, self._text = cut(self._text, marks)
            sink(before)
            if mark:
                return mark
            self._text += yield

    def _expect(self, mark: str) -> Generator[None, str, None]:
        """White space, then the mark. Raises Malformed for anything else."""
        while not (bare := self._text.lstrip()).startswith(mark):
            if not mark.startswith(bare):
                raise Malformed
            self._text += yield
        self._text = bare.removeprefix(mark)

    def _word(self, *, lenient: bool = False) -> Generator[None, str, str]:
        """A name up to its bracket. Raises Malformed, unless lenient, where it can't be one."""
        while ">" not in self._text:
            if not lenient and any(char in self._text for char in "<\n"):
                raise Malformed
            self._text += yield
        word, _, self._text = self._text.partition(">")
        if not lenient and (not word.strip() or any(char in word for char in "<\n")):
            raise Malformed
        return word.strip()


class Bare:
    """One bare value while it arrives.

    :param sink: takes a text's JSON as it comes; without one the value is kept until it is whole.
    """

    def __init__(self, sink: Callable[[str], None] | None = None) -> None:
        self._sink = sink
        self._begun = False
        self._quoted = False
        self._tail = ""
        self._parts: list[str] = []

    def feed(self, text: str) -> None:
        """The next part; the first line break and the last one are no part of the value."""
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix(EDGE)
        whole = self._tail + text
        kept = whole.removesuffix(EDGE)
        self._tail = whole[len(kept) :]
        if self._sink is None:
            self._parts.append(kept)
        elif kept:
            self._sink(("" if self._quoted else '"') + escaped(kept))
            self._quoted = True

    def closed(self, types: frozenset[str]) -> str:
        """What is left of the value as JSON."""
        if self._sink is not None:
            return '"' if self._quoted else '""'
        return json.dumps(value("".join(self._parts), types), ensure_ascii=False)


def escaped(text: str) -> str:
    """A text as JSON has it between quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def ignore(text: str) -> None:
    """Nothing that counts stands there."""
    del text
