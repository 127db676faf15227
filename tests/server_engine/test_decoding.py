"""A decoder that is given the end of a prompt says what one says that is given all of it."""

import random
from typing import Any

import pytest

from qwen_server.engine import decoding
from tests.server_engine.conftest import SMOLLM2

WORDS = ["one ", "naïve ", "漢字", "🙂‍↔️", "<|im_end|>", "\n", "  ", "{", "\u0301", "👩‍👩‍👧"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """SmolLM2's: bytes are its alphabet, as they are Qwen's."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(SMOLLM2 / "tokenizer.json"))


def ids(tokenizer: Any, seed: int) -> list[int]:
    """Tokens of a text in many scripts, where some characters take several of them."""
    chance = random.Random(seed)  # noqa: S311 - the same texts each time
    return list(tokenizer.encode("".join(chance.choices(WORDS, k=200)), add_special_tokens=False).ids)


def said(tokenizer: Any, stream: Any, tokens: list[int]) -> list[str | None]:
    """What each token adds."""
    return [stream.step(tokenizer, token) for token in tokens]


@pytest.mark.parametrize("skip", [True, False])
def test_the_end_of_a_prompt_is_enough(tokenizer: Any, skip: bool) -> None:
    """Wherever it ends, but for within a character: there a decoder repeats all that it was given before."""
    from tokenizers import decoders

    whole = decoders.DecodeStream if isinstance(decoders.DecodeStream, type) else None
    if whole is None:
        pytest.fail("another test has installed it in this process")
    try:
        decoding.install()
        decoding.install()
        compared = 0
        for seed in range(20):
            tokens = ids(tokenizer, seed)
            for end in range(decoding.PRIMER + 1, decoding.PRIMER + 60):
                prompt, more = tokens[:end], tokens[end : end + 20]
                if tokenizer.decode(prompt[-8:], skip_special_tokens=False).endswith("\ufffd"):
                    continue
                compared += 1
                short = decoders.DecodeStream(ids=prompt, skip_special_tokens=skip)
                long = whole(ids=prompt, skip_special_tokens=skip)
                assert said(tokenizer, short, more) == said(tokenizer, long, more)
        assert compared > 500
    finally:
        decoders.DecodeStream = whole
