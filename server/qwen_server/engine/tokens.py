"""Texts as token ids, by the model's own tokenizer without what transformers puts around it, which costs as much again.

It must never give other ids than vLLM's renderer would: a tokenizer that may do so is left to vLLM.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from qwen_server.beside import Beside

LIGHT = 8 * 1024
"""Characters or bytes that are worked on at once: 2 ms at most. A thread would wait for Python's lock for longer."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A `tokenizers.Tokenizer` that neither cuts nor pads, and a thread for long texts, whose tokens need no lock."""

    tokenizer: Any
    beside: Beside = field(default_factory=lambda: Beside(LIGHT, ThreadPoolExecutor(1, "tokens")))

    async def ids(self, text: str, *, special: bool) -> list[int]:
        """The text's token ids; `special`: with those that the tokenizer puts around a text of its own accord."""
        return await self.beside.done(len(text), lambda: self._ids(text, special=special))

    def _ids(self, text: str, *, special: bool) -> list[int]:
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
