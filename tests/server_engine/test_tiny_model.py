"""The tiny random models that engine tests stand on (hack/weights/tiny.py): Qwen's shape, and the same every time."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

CALL = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
TALK = [
    {"role": "system", "content": "S"},
    {"role": "user", "content": "U"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "R"},
    {"role": "tool", "content": "T"},
]


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    """The folder's tokenizer, as transformers reads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def test_the_same_seed_gives_the_same_model(tiny_model: Path, tmp_path: Path) -> None:
    """A test that fails must fail again."""
    from hack.weights.tiny import make

    again = make(tmp_path / "again")

    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in tiny_model.iterdir()
    }


@pytest.mark.parametrize("kind", ["dense", "moe"])
def test_the_weights_are_those_of_the_architecture(tmp_path: Path, kind: str) -> None:
    """transformers' own class takes every tensor, and misses none."""
    from transformers import AutoModelForCausalLM

    from hack.weights.tiny import Kind, make

    folder = make(tmp_path / kind, Kind(kind))
    model, told = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)

    assert [type(model).__name__] == json.loads((folder / "config.json").read_text())["architectures"]
    assert not any(told[what] for what in ("missing_keys", "unexpected_keys", "mismatched_keys"))


def test_a_byte_is_a_token_and_so_is_a_marker(tokenizer: Any) -> None:
    """Token counts in tests can be worked out by hand."""
    assert len(tokenizer.encode("héllo")) == 6
    assert len(tokenizer.encode("<think>a</think><tool_call>")) == 4
    assert tokenizer.decode(tokenizer.encode("héllo <think>")) == "héllo <think>"


def test_control_tokens_are_skipped_and_markup_stays(tokenizer: Any) -> None:
    """As in Qwen3's own tokenizer: reasoning and tool calls are read from the text."""
    ids = tokenizer.encode("<think>a</think><|im_end|>")

    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think>a</think>"


def test_a_conversation_is_written_in_qwens_format(tokenizer: Any) -> None:
    """Tool calls as JSON between markers, tool answers as one turn of the user."""
    assert tokenizer.apply_chat_template(TALK, add_generation_prompt=True, tokenize=False) == (
        "<|im_start|>system\nS<|im_end|>\n"
        "<|im_start|>user\nU<|im_end|>\n"
        '<|im_start|>assistant\n<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\nR\n</tool_response>\n<tool_response>\nT\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_thinking_can_be_switched_off(tokenizer: Any) -> None:
    """The template then writes an empty thought itself."""
    talk = [{"role": "user", "content": "U"}]

    prompt = tokenizer.apply_chat_template(talk, add_generation_prompt=True, enable_thinking=False, tokenize=False)

    assert prompt.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_tools_are_described_to_the_model(tokenizer: Any) -> None:
    """In the system turn, each as a line of JSON."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}

    prompt = tokenizer.apply_chat_template(TALK[:2], tools=[tool], tokenize=False)

    assert prompt.startswith("<|im_start|>system\nS\n\n# Tools\n")
    assert f"<tools>\n{json.dumps(tool)}\n</tools>" in prompt
