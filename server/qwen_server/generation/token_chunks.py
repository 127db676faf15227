"""Chunks that carry logprobs, apart from those that don't: they cost more, and plain text must not pay for them.

They must never lose a token: what has no text to go with yet waits for the next chunk of its choice.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from qwen_server.engine.base import Delta, TokenLogprob
from qwen_server.generation.chunks import CompletionChunks, SpokenChunks
from qwen_server.generation.logprobs import chat_logprobs, text_logprobs
from qwen_server.generation.replies import Heading, Speak, finish
from qwen_server.generation.spoken import Shown


class ChatTokenChunks(SpokenChunks):
    """A chat's chunks; reasoning and calls have their tokens' logprobs too, which OpenAI's shape calls `content`."""

    def __init__(self, heading: Heading, speak: Speak, *, with_usage: bool) -> None:
        super().__init__(heading, speak, with_usage=with_usage)
        self._waiting: dict[int, list[TokenLogprob]] = {}

    def events(self, deltas: Iterable[Delta]) -> bytes:
        """One by one, so that a token's logprobs go with its own text."""
        out = b""
        for delta in deltas:
            self._waiting.setdefault(delta.index, []).extend(delta.logprobs or ())
            out += super().events((delta,))
        return out

    def _piece(self, index: int, delta: Shown) -> bytes:
        return self._event(index, delta, None)

    def _choice(self, index: int, delta: Shown, reason: str | None) -> dict[str, Any]:
        found = self._waiting.pop(index, None)
        logprobs = chat_logprobs(found) if found else None
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}


class CompletionTokenChunks(CompletionChunks):
    """A text completion's chunks; offsets count from the beginning of the choice."""

    def __init__(self, heading: Heading, *, with_usage: bool) -> None:
        super().__init__(heading, with_usage=with_usage)
        self._waiting: dict[int, list[TokenLogprob]] = {}
        self._offsets: dict[int, int] = {}

    def events(self, deltas: Iterable[Delta]) -> bytes:
        """As for text alone."""
        out = b""
        for delta in deltas:
            self.tokens += delta.tokens
            self._waiting.setdefault(delta.index, []).extend(delta.logprobs or ())
            if delta.text or delta.finish_reason is not None:
                out += self._event(delta)
        return out

    def _event(self, delta: Delta) -> bytes:
        reason = None if delta.finish_reason is None else finish(delta.finish_reason)
        self.finished += reason is not None
        index, found = delta.index, self._waiting.pop(delta.index)
        offset = self._offsets.get(index, 0)
        self._offsets[index] = offset + sum(len(each.token) for each in found)
        logprobs = text_logprobs(found, offset) if found else None
        choice = {"index": index, "text": delta.text, "logprobs": logprobs, "finish_reason": reason}
        return self._head + orjson.dumps(choice) + self._tail
