"""Texts as token ids, by the model's own tokenizer without what transformers puts around it, which costs as much again.

It must never give other ids than vLLM's renderer would: a tokenizer that may do so is left to vLLM.
"""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

LIGHT = 8 * 1024
"""Characters or bytes that are worked on at once: 2 ms at most. A thread would wait for Python's lock for longer."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A `tokenizers.Tokenizer` that neither cuts nor pads, and the thread for long texts; their tokens need no lock."""

    tokenizer: Any
    thread: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "tokens"))

    async def ids(self, text: str, *, special: bool) -> list[int]:
        """The text's token ids; `special`: with those that the tokenizer puts around a text of its own accord."""
        if len(text) <= LIGHT:
            return self._ids(text, special)
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._ids, text, special)

    def _ids(self, text: str, special: bool) -> list[int]:  # noqa: FBT001 - an executor passes no names
        (encoding,) = self.tokenizer.encode_batch_fast([text], add_special_tokens=special)
        ids: list[int] = encoding.ids
        return ids


def tokens(tokenizer: Any) -> Tokens | None:
    """The tokenizer below one of transformers; None where there is none, or where special tokens are to be split."""
    below: Any = getattr(tokenizer, "backend_tokenizer", None)
    if not hasattr(below, "encode_batch_fast") or getattr(tokenizer, "split_special_tokens", True):
        return None
    below.no_truncation()
    below.no_padding()
    return Tokens(below)
