"""One choice's answer through its parser, as a client sees it: text, reasoning and calls.

A message is the fold of the same deltas that a stream sends. It must never invent an end: a call that was cut off keeps
the arguments it has, and the reason that cut it.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from qwen_server.qwen.pieces import Arguments, CallBegan, Markup, Piece, Text, Thought
from qwen_server.wire.chat import ReplyCall, ReplyFunction, ReplyMessage

TOOL_CALLS = "tool_calls"

Shown = dict[str, Any]
"""The `delta` of a chunk."""


class Spoken:
    """One choice while it is read.

    :param name: of the choice, unique among all answers: the ids of its calls are made from it.
    :param single_call: the client wants at most one; later ones are left out.
    :param called: the reason of a model that stopped behind a call.
    """

    def __init__(self, markup: Markup, name: str, *, single_call: bool = False, called: str = TOOL_CALLS) -> None:
        self._markup = markup
        self._name = name
        self._most = 1 if single_call else None
        self._called = called
        self._calls = 0

    def feed(self, text: str) -> list[Shown]:
        """What the next part of the text shows."""
        return self._shown(self._markup.feed(text))

    def end(self) -> list[Shown]:
        """What was held back."""
        return self._shown(self._markup.end())

    def reason(self, given: str) -> str:
        """Why the choice ended: a model that stopped behind a call waits for its result."""
        return self._called if self._calls and given == "stop" else given

    def _shown(self, pieces: Iterable[Piece]) -> list[Shown]:
        return [delta for piece in pieces if (delta := self._delta(piece)) is not None]

    def _delta(self, piece: Piece) -> Shown | None:
        """Nothing for the end of a call: the choice's own reason tells whether the last one is whole."""
        match piece:
            case Text(text):
                return {"content": text}
            case Thought(text):
                return {"reasoning": text, "reasoning_content": text}
            case CallBegan(name):
                self._calls += 1
                return self._of_call(
                    {"id": self._id(), "type": "function", "function": {"name": name, "arguments": ""}}
                )
            case Arguments(text):
                return self._of_call({"function": {"arguments": text}})
        return None

    def _of_call(self, part: Shown) -> Shown | None:
        if self._most is not None and self._calls > self._most:
            return None
        return {"tool_calls": [{"index": self._calls - 1, **part}]}

    def _id(self) -> str:
        return "call_" + hashlib.sha256(f"{self._name}/{self._calls}".encode()).hexdigest()[:24]


def message(shown: Iterable[Shown]) -> ReplyMessage:
    """Everything that was shown, as a message. Content is null where there are only calls."""
    contents: list[str] = []
    thoughts: list[str] = []
    calls: list[ReplyCall] = []
    for delta in shown:
        contents += [delta["content"]] if "content" in delta else []
        thoughts += [delta["reasoning"]] if "reasoning" in delta else []
        for part in delta.get("tool_calls", ()):
            if "id" in part:
                function: ReplyFunction = {"name": part["function"]["name"], "arguments": ""}
                calls.append({"id": part["id"], "type": "function", "function": function})
            else:
                calls[-1]["function"]["arguments"] += part["function"]["arguments"]
    reply: ReplyMessage = {"role": "assistant", "content": "".join(contents) if contents or not calls else None}
    if thoughts:
        reply["reasoning"] = reply["reasoning_content"] = "".join(thoughts)
    if calls:
        reply["tool_calls"] = calls
    return reply
