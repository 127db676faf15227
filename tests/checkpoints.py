"""Checkpoints that no test could carry: their config.json and the tensors that their safetensors headers list.

Written from the models' architectures, shape by shape, and independent of the code under test: a tensor is a name, a
type and a shape here, and how it is split is not said.
"""

import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qwen_operator.core.fit.architecture import KEYS, QUANTIZATION_KEYS
from qwen_operator.core.fit.tensors import Tensor

Config = dict[str, Any]
Shape = tuple[int, ...]

BYTES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "I32": 4}

QWEN3_CODER_480B: Config = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "num_hidden_layers": 62,
    "num_attention_heads": 96,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 6144,
    "intermediate_size": 8192,
    "num_experts": 160,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 2560,
    "shared_expert_intermediate_size": 0,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "max_position_embeddings": 262_144,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 151_936,
}
QWEN3_8B: Config = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 4096,
    "intermediate_size": 12_288,
    "max_position_embeddings": 40_960,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 151_936,
}
BLOCK = 128
FP8 = {
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [BLOCK, BLOCK], "activation_scheme": "dynamic"}
}


def quantized(config: Config) -> Config:
    """The same model in FP8 with blocks of 128 x 128, as Qwen publishes them."""
    return config | FP8


def tensors(config: Config) -> Iterator[Tensor]:
    """Every tensor of the checkpoint, one by one."""
    for name, shape in _shapes(config):
        linear = name.endswith("_proj.weight")
        if "quantization_config" in config and linear:
            yield _tensor(name, "F8_E4M3", shape)
            yield _tensor(f"{name}_scale_inv", "BF16", tuple(math.ceil(size / BLOCK) for size in shape))
        else:
            yield _tensor(name, "BF16", shape)


def _tensor(name: str, dtype: str, shape: Shape) -> Tensor:
    return Tensor(name, dtype, math.prod(shape) * BYTES[dtype])


def _shapes(config: Config) -> Iterator[tuple[str, Shape]]:
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (vocabulary, hidden)
    yield "model.norm.weight", (hidden,)
    for layer in range(config["num_hidden_layers"]):
        inside = itertools.chain(_attention(config), _mlp(config))
        yield from ((f"model.layers.{layer}.{name}", shape) for name, shape in inside)


def _attention(config: Config) -> Iterator[tuple[str, Shape]]:
    hidden, size = config["hidden_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * size, config["num_key_value_heads"] * size
    yield "input_layernorm.weight", (hidden,)
    yield "post_attention_layernorm.weight", (hidden,)
    yield "self_attn.q_norm.weight", (size,)
    yield "self_attn.k_norm.weight", (size,)
    yield "self_attn.q_proj.weight", (queries, hidden)
    yield "self_attn.k_proj.weight", (keys, hidden)
    yield "self_attn.v_proj.weight", (keys, hidden)
    yield "self_attn.o_proj.weight", (hidden, queries)


def _mlp(config: Config) -> Iterator[tuple[str, Shape]]:
    hidden, experts = config["hidden_size"], config.get("num_experts", 0)
    if not experts:
        yield from _gated("mlp", hidden, config["intermediate_size"])
        return
    yield "mlp.gate.weight", (experts, hidden)
    for expert in range(experts):
        yield from _gated(f"mlp.experts.{expert}", hidden, config["moe_intermediate_size"])


def _gated(name: str, hidden: int, width: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.gate_proj.weight", (width, hidden)
    yield f"{name}.up_proj.weight", (width, hidden)
    yield f"{name}.down_proj.weight", (hidden, width)


def report(config: Config) -> str:
    """What a weights Job says of the checkpoint in its termination message."""
    kept = {key: config[key] for key in KEYS if key in config}
    if "quantization_config" in kept:
        kept["quantization_config"] = {
            key: value for key, value in kept["quantization_config"].items() if key in QUANTIZATION_KEYS
        }
    sizes: Counter[tuple[str, str]] = Counter()
    for tensor in tensors(config):
        name = ".".join("*" if part.isdigit() else part for part in tensor.name.split("."))
        sizes[name, tensor.dtype] += tensor.size
    rows = [[name, dtype, size] for (name, dtype), size in sizes.items()]
    head = {"commit": "5b4f1c0d", "bytes": sum(sizes.values()), "files": 4}
    return json.dumps({**head, "config": kept, "tensors": rows}, separators=(",", ":"))


def written(folder: Path, config: Config, *, files: int = 2, index_only: bool = False) -> Path:
    """A folder of the model: config.json, index and the heads of its safetensors files, without a byte of weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    listed = list(tensors(config))
    names = [f"model-{number:05}-of-{files:05}.safetensors" for number in range(1, files + 1)]
    total = sum(tensor.size for tensor in listed)
    weight_map = {tensor.name: names[place % files] for place, tensor in enumerate(listed)}
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for start, name in enumerate([] if index_only else names):
        (folder / name).write_bytes(_head(listed[start::files]))
    return folder


def _head(listed: list[Tensor]) -> bytes:
    """A safetensors file up to where the data would begin: length of the head, then the head."""
    end, rows = 0, {}
    for tensor in listed:
        shape = [tensor.size // BYTES[tensor.dtype]]
        rows[tensor.name] = {"dtype": tensor.dtype, "shape": shape, "data_offsets": [end, end := end + tensor.size]}
    head = json.dumps(rows).encode()
    return len(head).to_bytes(8, "little") + head
