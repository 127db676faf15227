"""Small models as files: real safetensors headers, an index, and what must never be fetched beside them."""

import hashlib
import json
import random
import struct
from collections.abc import Mapping

CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
    "quantization_config": {
        "quant_method": "fp8",
        "weight_block_size": [128, 128],
        "modules_to_not_convert": ["x"] * 500,
    },
}
Files = Mapping[str, bytes]


def content(size: int, seed: int) -> bytes:
    """Bytes that mean nothing, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - no secret


def safetensors(tensors: Mapping[str, tuple[str, int]], seed: int = 0) -> bytes:
    """A file with tensors of these types and bytes."""
    header, end = {}, 0
    for name, (dtype, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": [size], "data_offsets": [end, end + size]}
        end += size
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + content(end, seed)


def shard(index: int, size: int = 300_000) -> bytes:
    """One file of a model that is spread over several."""
    part = size // 2
    return safetensors(
        {
            f"model.layers.{index}.mlp.up_proj.weight": ("F8_E4M3", part),
            f"model.layers.{index}.self_attn.q_proj.weight": ("BF16", size - part),
        },
        seed=index,
    )


def model(shards: int = 3, size: int = 300_000) -> dict[str, bytes]:
    """A repository as the hub has them: weights in shards, their index, what describes them, and much else."""
    names = [f"model-{number:05}-of-{shards:05}.safetensors" for number in range(1, shards + 1)]
    weights = {name: shard(number, size) for number, name in enumerate(names)}
    index = {f"model.layers.{number}.mlp.up_proj.weight": name for number, name in enumerate(names)}
    return {
        "config.json": json.dumps(CONFIG).encode(),
        "generation_config.json": b'{"top_p": 0.8}',
        "tokenizer.json": content(20_000, 99),
        "tokenizer_config.json": b"{}",
        "chat_template.jinja": b"{{ messages }}",
        "merges.txt": b"a b\n",
        "vocab.json": b"{}",
        "model.safetensors.index.json": json.dumps({"metadata": {}, "weight_map": index}).encode(),
        **weights,
        **UNWANTED,
    }


UNWANTED: Files = {
    "pytorch_model.bin": b"a pickle",
    "consolidated.safetensors": safetensors({"x": ("BF16", 1000)}),
    "original/params.json": b"{}",
    "original/model.safetensors": b"x",
    "optimizer.pt": b"a pickle",
    "parser.py": b"code",
    "README.md": b"# words",
    ".gitattributes": b"",
    "figures/plot.png": b"png",
}
"""What no server reads."""


def wanted(files: Files) -> dict[str, bytes]:
    """What a server reads."""
    return {name: kept for name, kept in files.items() if name not in UNWANTED}


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def git_blob(data: bytes) -> str:
    """Git's own name for content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - that is how git does it
