"""A request's tokens as text begin with the end of its prompt, not with all of it.

vLLM primes the decoder of every request with its whole prompt, which the first token then decodes: 55 ms for 135,000
tokens, in which no other request gets anything. What a token adds depends on the few tokens before it. It must never
change what a decoder gives.
"""

from typing import Any

PRIMER = 64
"""Tokens of a prompt that a decoder is given: a character of any script takes at most eight."""


def install() -> None:
    """Take the place of the class that vLLM looks up in tokenizers' module for each request; once a process."""
    from tokenizers import decoders

    made = decoders.DecodeStream
    if not isinstance(made, type):
        return

    def primed(ids: list[int] | None = None, skip_special_tokens: bool = False) -> Any:  # noqa: FBT001, FBT002 - as there
        return made(ids=ids and ids[-PRIMER:], skip_special_tokens=skip_special_tokens)

    decoders.DecodeStream = primed
