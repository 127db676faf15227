"""Our short way to token ids gives those of the long one."""

import random
from typing import Any

import pytest

from qwen_server.engine.tokens import LIGHT, tokens
from tests.server_engine.conftest import SMOLLM2

TEXTS = [
    "Hello",
    "",
    " \n\t two  spaces ",
    "naïve café 漢字 🙂‍↔️ \u0000 \ufeff",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "<|im_st art|> <tool_call>{}</tool_call> <think>\n</think>",
    "one two three " * (LIGHT // 10),
]


def drawn(seed: int) -> str:
    """A text of anything that UTF-8 can say."""
    chance = random.Random(seed)  # noqa: S311 - the same texts each time
    return "".join(
        chr(chance.choice((chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)))) for _ in range(200)
    )


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """As vLLM has it, behind its pool for threads."""
    from vllm.tokenizers import get_tokenizer
    from vllm.tokenizers.hf import maybe_make_thread_pool

    return maybe_make_thread_pool(get_tokenizer(str(SMOLLM2)), 1)


@pytest.mark.parametrize("special", [True, False])
async def test_ids_are_those_that_transformers_gives(tokenizer: Any, special: bool) -> None:
    """Marks in the text are tokens of their own, and what was cut before is whole again."""
    short = tokens(tokenizer)
    assert short is not None
    for text in (*TEXTS, *map(drawn, range(50))):
        long = tokenizer(text, add_special_tokens=special, truncation=True, max_length=100_000)["input_ids"]
        assert await short.ids(text, special=special) == long


async def test_a_tokenizer_that_is_asked_to_split_marks_is_left_to_vllm(tokenizer: Any) -> None:
    """Nor is one that has no fast form taken."""
    tokenizer.split_special_tokens = True
    try:
        assert tokens(tokenizer) is None
    finally:
        tokenizer.split_special_tokens = False
    assert tokens(object()) is None
