"""Logprobs that a scripted engine makes up: exact binary fractions, so that a test can name every one of them.

They must never be taken for a model's: they depend on places alone.
"""

from qwen_server.engine.base import Delta, Sampling, TokenLogprob


def alternatives(word: str, logprob: float, asked: int) -> tuple[TokenLogprob, ...]:
    """The token itself, then others, each less likely by 1."""
    return tuple(TokenLogprob(word if not less else f"{word}~{less}", logprob - less) for less in range(asked))


def made_up(word: str, number: int, index: int, sampling: Sampling) -> tuple[TokenLogprob, ...] | None:
    """Those of one token, the `number`-th from 1 on. Every choice is twice as likely as the one before it."""
    if sampling.logprobs is None:
        return None
    logprob = -number / 2 ** (index + 1)
    return (TokenLogprob(word, logprob, alternatives(word, logprob, sampling.logprobs)),)


def of_prompt(words: list[str], sampling: Sampling) -> list[Delta]:
    """The delta of the prompt's own logprobs, where they are asked for: none for the first word, then -1, -2."""
    if not sampling.prompt_logprobs:
        return []
    asked = sampling.logprobs or 0
    later = (TokenLogprob(word, -at, alternatives(word, -at, asked)) for at, word in enumerate(words[1:], start=1))
    return [Delta(0, "", 0, None, (TokenLogprob(words[0], None), *later))]
