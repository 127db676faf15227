"""A model's facts for whoever asks whether it fits: what the weights Job leaves as its termination message.

One line of JSON of at most 4096 bytes, the kubelet's limit for a termination message:

    {"commit": "…", "bytes": 30064771072, "files": 16,
     "config": {"architectures": ["Qwen3ForCausalLM"], "num_hidden_layers": 36, "quantization_config": {…}, …},
     "tensors": [["model.layers.*.self_attn.q_proj.weight", "F8_E4M3", 603979776], …]}

`bytes` and `files` count what lies in the folder. `config` holds those keys of config.json that decide on memory. In
a tensor's name each number between dots is written `*`, and the bytes of all tensors of that name and type are added
up, so that a model of 60,000 tensors comes to 2 kB. Pure. It must never say a part of the tensors: they are all
there, or none.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from qwen_server.weights.tensors import Tensor

LONGEST: Final = 4096
"""Bytes of a termination message that the kubelet keeps."""
CONFIG_KEYS: Final = (
    "architectures",
    "num_hidden_layers",
    "num_attention_heads",
    "hidden_size",
    "max_position_embeddings",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "torch_dtype",
    "dtype",
    "num_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "shared_expert_intermediate_size",
    "vocab_size",
    "tie_word_embeddings",
    "decoder_sparse_step",
    "mlp_only_layers",
    "full_attention_interval",
    "linear_num_key_heads",
    "linear_key_head_dim",
    "linear_num_value_heads",
    "linear_value_head_dim",
    "linear_conv_kernel_dim",
)
QUANTIZATION: Final = "quantization_config"
QUANTIZATION_KEYS: Final = ("quant_method", "weight_block_size", "group_size")
"""Of a table that may also list every layer by name."""


def facts(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a config.json decides on memory, under its own names."""
    chosen = {key: config[key] for key in CONFIG_KEYS if key in config}
    quantization = config.get(QUANTIZATION)
    if isinstance(quantization, Mapping):
        chosen[QUANTIZATION] = {key: quantization[key] for key in QUANTIZATION_KEYS if key in quantization}
    return chosen


def pattern(name: str) -> str:
    """A tensor's name without the numbers of layer and expert."""
    return ".".join("*" if part.isdigit() else part for part in name.split("."))


def summed(tensors: Iterable[Tensor]) -> list[tuple[str, str, int]]:
    """Name pattern, type and bytes, sorted."""
    total: Counter[tuple[str, str]] = Counter()
    for tensor in tensors:
        total[pattern(tensor.name), tensor.dtype] += tensor.size
    return [(name, dtype, size) for (name, dtype), size in sorted(total.items())]


def report(commit: str, sizes: Iterable[int], config: Mapping[str, Any], tensors: Iterable[Tensor]) -> str:
    """The line. A model whose tensors do not fit into it is reported without any, and one of no sense without facts."""
    counted = list(sizes)
    head = {"commit": commit, "bytes": sum(counted), "files": len(counted)}
    known = facts(config)
    for config_told, tensors_told in ((known, summed(tensors)), (known, []), ({}, [])):
        line = json.dumps(head | {"config": config_told, "tensors": tensors_told}, separators=(",", ":"))
        if len(line.encode()) < LONGEST:
            break
    return line
