"""Our parsers beside vLLM's own, on the same answers: three hundred of each format."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server_unit.conversations import TOOLS, Called, conversation
from tests.server_unit.test_markup import a_markup, meaning, read

SEEDS = range(300)
FORMATS = {"hermes": "hermes", "xml": "qwen3_coder"}


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    """Qwen's marks as single tokens, every byte as another."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(tiny_model)


@pytest.fixture(scope="module")
def asked() -> Any:
    """A request as vLLM's parsers want it."""
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

    return ChatCompletionRequest(model="m", messages=[{"role": "user", "content": "x"}], tools=TOOLS)


@pytest.mark.parametrize("form", FORMATS)
def test_tool_calls_are_those_that_vllm_finds(form: str, tokenizer: Any, asked: Any) -> None:
    """The same calls with the same values, and the same text but for the line breaks before a mark."""
    from vllm.tool_parsers import ToolParserManager

    maker = ToolParserManager.get_tool_parser(FORMATS[form])
    differences = []
    for seed in SEEDS:
        made = conversation(seed, form)
        theirs = maker(tokenizer, asked.tools).extract_tool_calls(made.written, asked)
        calls = [Called(each.function.name, json.loads(each.function.arguments)) for each in theirs.tool_calls]
        ours = meaning(read(a_markup(form), [made.written]))
        if (ours.calls, ours.text) != (calls, (theirs.content or "").rstrip("\n")):
            differences.append((seed, ours, theirs))
    assert differences == []


def test_reasoning_is_what_vllm_finds(tokenizer: Any, asked: Any) -> None:
    """The same reasoning and the same answer, but for the line breaks around them."""
    from vllm.reasoning import ReasoningParserManager

    parser = ReasoningParserManager.get_reasoning_parser("qwen3")(tokenizer)
    differences = []
    for seed in SEEDS:
        made = conversation(seed, "hermes", thinks=True)
        thought, answer = parser.extract_reasoning(made.written, asked)
        ours = meaning(read(a_markup("hermes", thinks=True), [made.written]))
        rest = meaning(read(a_markup("hermes"), [(answer or "").lstrip("\n")]))
        if (ours.thought, ours.text, ours.calls) != ((thought or "").strip("\n"), rest.text, rest.calls):
            differences.append((seed, ours, thought, answer))
    assert differences == []
