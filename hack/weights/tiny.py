"""Random tiny Qwen3 models for engine tests: every part of a real folder, made in a few seconds, the same each time.

The tokenizer knows each byte and Qwen's own special tokens, so that token counts of plain ASCII are character counts.
The weights mean nothing: no test may lean on what such a model says, only on that it says something.
"""

import argparse
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import safetensors.torch
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CHAT_TEMPLATE: Final = Path(__file__).with_name("qwen_chat_template.jinja")
SPECIAL: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
"""Control tokens, absent from decoded text."""
MARKUP: Final = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")
"""Single tokens that stay in decoded text, as in Qwen3's own tokenizer."""

CONTEXT: Final = 262_144
"""Tokens; what Qwen3-Coder was trained for."""
HIDDEN: Final = 128
HEADS: Final = 4
KEY_HEADS: Final = 2
HEAD: Final = 32
LAYERS: Final = 2
EXPERTS: Final = 8
VOCABULARY: Final = 256 + len(SPECIAL) + len(MARKUP)
"""Rows of the embedding: every byte and the tokens above, so that every token has a text."""

Shapes = dict[str, tuple[int, ...]]


class Kind(StrEnum):
    """Which of Qwen3's two architectures."""

    DENSE = "dense"
    MOE = "moe"


def vocabulary() -> dict[str, int]:
    """Each byte's character in the byte-level alphabet, in a fixed order, to its token id."""
    return {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def tokenizer() -> Tokenizer:
    """One token a byte, and one for each of Qwen's markers."""
    made = Tokenizer(models.BPE(vocab=vocabulary(), merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in SPECIAL])
    made.add_tokens([AddedToken(text, normalized=False, special=False) for text in MARKUP])
    return made


def token_id(text: str) -> int:
    """The id of one of the markers."""
    return 256 + (*SPECIAL, *MARKUP).index(text)


def config(kind: Kind) -> dict[str, Any]:
    """`config.json` as transformers writes it."""
    common = {
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS,
        "head_dim": HEAD,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT,
        "rope_theta": 1_000_000.0,
        "rms_norm_eps": 1e-6,
        "attention_bias": False,
        "tie_word_embeddings": True,
        "eos_token_id": token_id("<|im_end|>"),
        "pad_token_id": token_id("<|endoftext|>"),
        "dtype": "bfloat16",
    }
    if kind is Kind.DENSE:
        return {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", **common}
    experts = {"num_experts": EXPERTS, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "norm_topk_prob": True}
    return {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", **common, **experts}


def feed_forward(prefix: str, width: int) -> Shapes:
    """The three matrices of one gated block."""
    return {
        f"{prefix}.gate_proj.weight": (width, HIDDEN),
        f"{prefix}.up_proj.weight": (width, HIDDEN),
        f"{prefix}.down_proj.weight": (HIDDEN, width),
    }


def layer(prefix: str, kind: Kind) -> Shapes:
    """The tensors of one decoder layer."""
    shapes: Shapes = {
        f"{prefix}.input_layernorm.weight": (HIDDEN,),
        f"{prefix}.post_attention_layernorm.weight": (HIDDEN,),
        f"{prefix}.self_attn.q_proj.weight": (HEADS * HEAD, HIDDEN),
        f"{prefix}.self_attn.k_proj.weight": (KEY_HEADS * HEAD, HIDDEN),
        f"{prefix}.self_attn.v_proj.weight": (KEY_HEADS * HEAD, HIDDEN),
        f"{prefix}.self_attn.o_proj.weight": (HIDDEN, HEADS * HEAD),
        f"{prefix}.self_attn.q_norm.weight": (HEAD,),
        f"{prefix}.self_attn.k_norm.weight": (HEAD,),
    }
    if kind is Kind.DENSE:
        return shapes | feed_forward(f"{prefix}.mlp", 2 * HIDDEN)
    shapes[f"{prefix}.mlp.gate.weight"] = (EXPERTS, HIDDEN)
    for expert in range(EXPERTS):
        shapes |= feed_forward(f"{prefix}.mlp.experts.{expert}", 64)
    return shapes


def shapes(kind: Kind) -> Shapes:
    """Every tensor's name and shape; the output matrix is the embedding itself."""
    every: Shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for index in range(LAYERS):
        every |= layer(f"model.layers.{index}", kind)
    return every


def tensor(name: str, shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    """One tensor in bfloat16: ones for norms, else small random numbers."""
    if "norm" in name:
        return torch.ones(shape, dtype=torch.bfloat16)
    return (torch.randn(shape, generator=random) * 0.05).bfloat16()


def weights(kind: Kind, seed: int = 0) -> bytes:
    """`model.safetensors`, the same bytes for the same seed."""
    random = torch.Generator().manual_seed(seed)
    tensors = {name: tensor(name, shape, random) for name, shape in shapes(kind).items()}
    made: bytes = safetensors.torch.save(tensors, metadata={"format": "pt"})
    return made


def tokenizer_config() -> Mapping[str, Any]:
    """`tokenizer_config.json`, with the chat template beside it in its own file."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
    }


def make(folder: Path, kind: Kind = Kind.DENSE, seed: int = 0) -> Path:
    """Write a model into `folder`, which is made if needed, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = [token_id("<|im_end|>"), token_id("<|endoftext|>")]
    for name, content in (
        ("config.json", config(kind)),
        ("generation_config.json", {"eos_token_id": ends, "pad_token_id": ends[1]}),
        ("tokenizer_config.json", tokenizer_config()),
    ):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    (folder / "tokenizer.json").write_text(tokenizer().to_str(pretty=True))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE.read_text())
    (folder / "model.safetensors").write_bytes(weights(kind, seed))
    return folder


def main() -> None:
    """Make one from the command line."""
    parser = argparse.ArgumentParser(prog="python -m hack.weights.tiny", description="Make a random tiny Qwen3 model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", type=Kind, choices=list(Kind), default=Kind.DENSE)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(make(asked.folder, asked.kind, asked.seed))


if __name__ == "__main__":
    main()
