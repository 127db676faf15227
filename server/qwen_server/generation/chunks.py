"""Deltas as the bytes of a stream: everything but the text is laid down once, because this runs for every token."""

from collections.abc import Iterable
from typing import Any

import orjson

from qwen_server.engine.base import Delta
from qwen_server.generation.replies import Heading, Speak, finish
from qwen_server.generation.spoken import Shown, Spoken
from qwen_server.wire.usage import usage


class Chunks:
    """The events of one stream. Subclasses say how a choice opens and closes around its text."""

    kind = ""

    def __init__(self, heading: Heading, *, with_usage: bool) -> None:
        given = {"id": heading.id, "object": self.kind, "created": heading.created, "model": heading.model}
        self._head = b"data: " + orjson.dumps(given)[:-1] + b',"choices":['
        self._tail = b'],"usage":null}\n\n' if with_usage else b"]}\n\n"
        self._middle = self.after(b"null") + self._tail
        self._with_usage = with_usage
        self._openings: dict[int, bytes] = {}
        self.tokens = 0
        self.finished = 0

    def first(self, index: int) -> bytes:
        """What stands before the first text of a choice."""
        raise NotImplementedError

    def next(self, index: int) -> bytes:
        """What stands before every later text."""
        raise NotImplementedError

    def after(self, reason: bytes) -> bytes:
        """What stands behind a text; the reason is JSON already."""
        raise NotImplementedError

    def without_text(self, index: int, reason: bytes) -> bytes:
        """A choice that ends without another character."""
        return self.next(index) + b'""' + self.after(reason)

    def events(self, deltas: Iterable[Delta]) -> bytes:
        """One batch of deltas as bytes; empty when there is nothing to show yet. Raises ApiError as `finish` does."""
        out = b""
        for delta in deltas:
            self.tokens += delta.tokens
            index = delta.index
            if delta.finish_reason is not None:
                out += self._last(delta, orjson.dumps(finish(delta.finish_reason)))
            elif delta.text:
                out += self._opening(index) + orjson.dumps(delta.text) + self._middle
        return out

    def _opening(self, index: int) -> bytes:
        """What stands before this text; from the second time on, what stands before every later one."""
        opening = self._openings.get(index)
        if opening is None:
            self._openings[index] = self._head + self.next(index)
            return self._head + self.first(index)
        return opening

    def _last(self, delta: Delta, reason: bytes) -> bytes:
        """The chunk that ends a choice, with the text that is left."""
        index = delta.index
        self.finished += 1
        if delta.text or index not in self._openings:
            return self._opening(index) + orjson.dumps(delta.text) + self.after(reason) + self._tail
        return self._head + self.without_text(index, reason) + self._tail

    def usage(self, prompt_tokens: int) -> bytes:
        """The event with the sum of all, or nothing if it was not asked for."""
        if not self._with_usage:
            return b""
        return self._head + b'],"usage":' + orjson.dumps(usage(prompt_tokens, self.tokens)) + b"}\n\n"


class ChatChunks(Chunks):
    """Role and first text in one chunk, then text alone."""

    kind = "chat.completion.chunk"

    def first(self, index: int) -> bytes:
        """The role comes with the first text."""
        return b'{"index":%d,"delta":{"role":"assistant","content":' % index

    def next(self, index: int) -> bytes:
        """Text alone."""
        return b'{"index":%d,"delta":{"content":' % index

    def after(self, reason: bytes) -> bytes:
        """Closes delta and choice."""
        return b'},"finish_reason":' + reason + b"}"

    def without_text(self, index: int, reason: bytes) -> bytes:
        """An empty delta, as OpenAI ends a choice."""
        return b'{"index":%d,"delta":{},"finish_reason":' % index + reason + b"}"


class SpokenChunks(ChatChunks):
    """Chunks of answers that are more than text. Reasoning, text and calls each have chunks of their own.

    :param speak: a parser for each choice.
    """

    def __init__(self, heading: Heading, speak: Speak, *, with_usage: bool) -> None:
        super().__init__(heading, with_usage=with_usage)
        self._speak = speak
        self._spoken: dict[int, Spoken] = {}

    def events(self, deltas: Iterable[Delta]) -> bytes:
        """As for text; what the parser holds back comes with the choice's end."""
        out = b""
        for delta in deltas:
            self.tokens += delta.tokens
            spoken = self._spoken.get(delta.index)
            if spoken is None:
                spoken = self._spoken[delta.index] = self._speak(delta.index)
            out += self._pieces(delta.index, spoken.feed(delta.text))
            if delta.finish_reason is not None:
                reason = finish(delta.finish_reason)
                out += self._pieces(delta.index, spoken.end())
                out += self._end(delta.index, spoken.reason(reason))
        return out

    def _pieces(self, index: int, shown: Iterable[Shown]) -> bytes:
        return b"".join([self._piece(index, delta) for delta in shown])

    def _piece(self, index: int, delta: Shown) -> bytes:
        """Text alone, which is most of it, stands between the bytes that are laid down for it."""
        opening, text = self._openings.get(index), delta.get("content")
        if opening is None or text is None or len(delta) > 1:
            return self._event(index, delta, None)
        return opening + orjson.dumps(text) + self._middle

    def _end(self, index: int, reason: str) -> bytes:
        self.finished += 1
        return self._event(index, {} if index in self._openings else {"content": ""}, reason)

    def _event(self, index: int, delta: Shown, reason: str | None) -> bytes:
        if index not in self._openings:
            self._openings[index] = self._head + self.next(index)
            delta = {"role": "assistant", "content": None, **delta}
        return self._head + orjson.dumps(self._choice(index, delta, reason)) + self._tail

    def _choice(self, index: int, delta: Shown, reason: str | None) -> dict[str, Any]:
        return {"index": index, "delta": delta, "finish_reason": reason}


class CompletionChunks(Chunks):
    """The same choice object as in a whole reply, with a piece of the text."""

    kind = "text_completion"

    def first(self, index: int) -> bytes:
        """Nothing special comes first."""
        return self.next(index)

    def next(self, index: int) -> bytes:
        """The text follows the index, so that one constant stands on either side of it."""
        return b'{"index":%d,"text":' % index

    def after(self, reason: bytes) -> bytes:
        """Closes the choice."""
        return b',"logprobs":null,"finish_reason":' + reason + b"}"
