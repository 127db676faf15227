"""The folder both servers are given: Qwen's template and markers around a real tokenizer, and no weights.

A token is about four characters, as in a real answer; the marks of reasoning and tool calls are tokens of their own.
Run in the engine's environment: `python -m hack.bench_server.model FOLDER SMOLLM2`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from hack.weights.tiny import CHAT_TEMPLATE, CONTEXT, MARKUP, Kind, config

TEXT = (
    "A tree is a tall plant that can live for many years. It takes up water through its roots, carries it through "
    "the trunk to the leaves, and makes sugar there out of light and air. In the spring new leaves come out; in the "
    "summer they give shade, and many animals find food and shelter among them. When the days grow short, the leaves "
    "turn yellow and red and fall, and they feed the ground from which the tree lives. "
)
THINKING = "<think>\n" + TEXT + "</think>\n\n"
"""What a reasoning model says first."""
NO_WEIGHTS = b"\x02" + bytes(7) + b"{}"
"""A safetensors file without a tensor."""
TOKENS = 200
"""Of one streamed answer."""


def script(tokenizer: Tokenizer, opening: str) -> list[int]:
    """The ids of an answer: an opening, then text for as long as anybody asks."""
    ids: list[int] = tokenizer.encode(opening + TEXT * 4, add_special_tokens=False).ids
    return ids[:TOKENS]


def with_marks(path: Path) -> Tokenizer:
    """A tokenizer that knows Qwen's marks as tokens."""
    made: Tokenizer = Tokenizer.from_file(str(path))
    made.add_tokens([AddedToken(text, normalized=False, special=False) for text in MARKUP])
    return made


def template(*, reasoning: bool) -> str:
    """Qwen's own, for a model that reasons, or for one that does not."""
    words = CHAT_TEMPLATE.read_text()
    if reasoning:
        return words
    begin = words.index("    {%- if enable_thinking is defined")
    return words[:begin] + words[words.index("{%- endif %}", begin) + len("{%- endif %}\n") :]


def make(folder: Path, source: Path, *, reasoning: bool) -> None:
    """Write one folder, with the answer that the engine gives in it beside."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = with_marks(source / "tokenizer.json")
    ends = tokenizer.token_to_id("<|im_end|>")
    shape: dict[str, Any] = config(Kind.DENSE)
    shape |= {"vocab_size": tokenizer.get_vocab_size(), "eos_token_id": ends, "pad_token_id": ends}
    words = {
        "config.json": shape,
        "generation_config.json": {"eos_token_id": ends, "pad_token_id": ends},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": "<|im_end|>",
            "model_max_length": CONTEXT,
            "clean_up_tokenization_spaces": False,
        },
        "script.json": {"script": script(tokenizer, THINKING if reasoning else ""), "again": True},
    }
    for name, content in words.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    (folder / "chat_template.jinja").write_text(template(reasoning=reasoning))
    (folder / "model.safetensors").write_bytes(NO_WEIGHTS)


def main() -> None:
    """Make both folders."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench_server.model", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("smollm2", type=Path)
    asked = parser.parse_args()
    make(asked.folder / "plain", asked.smollm2, reasoning=False)
    make(asked.folder / "reasoning", asked.smollm2, reasoning=True)


if __name__ == "__main__":
    main()
