"""What of a model's config.json decides on memory.

Why it exists: the fit check reads a dozen numbers of a file that has a hundred, and refuses to read those of a family
whose split rules it does not know. It must never fill in a number that the file does not give, unless the family's own
code has that default.
"""

from typing import Any

import msgspec

FAMILIES = frozenset(
    {"Qwen2ForCausalLM", "Qwen3ForCausalLM", "Qwen2MoeForCausalLM", "Qwen3MoeForCausalLM", "Qwen3NextForCausalLM"}
)
"""Architectures whose tensors and caches are split as `memory` says (vLLM's model classes of these names)."""

WIDTHS = {"bfloat16": 2, "float16": 2, "float32": 4}
"""Bytes of one value of a type that an engine computes in."""


class Unsupported(Exception):  # noqa: N818  (it says what the file is)
    """The config.json is not one that can be estimated; the message is a clause that says why."""


class Blocks(msgspec.Struct, frozen=True):
    """Shape of the pieces of a weight matrix that share a scale: no GPU can hold a part of one."""

    output: int
    """Rows (output features); 1 if each row has its own."""
    input: int
    """Columns (input features)."""


class Recurrent(msgspec.Struct, frozen=True):
    """Layers of linear attention (gated delta net): a state of fixed size for each request, whatever its length."""

    layers: int
    key_heads: int
    key_dim: int
    value_heads: int
    value_dim: int
    kernel: int
    """Width of the convolution in front; its last `kernel - 1` inputs are kept."""

    def state(self, width: int) -> int:
        """Bytes that one layer keeps for one request, at `width` bytes a value (shapes: vLLM, `MambaStateShape`)."""
        convolved = 2 * self.key_heads * self.key_dim + self.value_heads * self.value_dim
        return width * (convolved * (self.kernel - 1) + self.value_heads * self.value_dim * self.key_dim)


class Architecture(msgspec.Struct, frozen=True, kw_only=True):
    """A decoder of one of the `FAMILIES`."""

    name: str
    layers: int
    heads: int
    """Attention heads."""
    kv_heads: int
    """Heads of keys and values, which the KV cache holds."""
    head_dim: int
    hidden: int
    context_limit: int
    """Tokens that the model's positions allow."""
    width: int
    """Bytes of a value of the type that the model computes in by default."""
    intermediate: int = 0
    """Width of the dense MLPs; 0 if every layer has experts instead."""
    experts: int = 0
    """Routed experts of a layer; 0 for a dense model."""
    experts_per_token: int = 0
    expert_intermediate: int = 0
    shared_intermediate: int = 0
    """Width of the expert that every token passes, besides the routed ones; 0 if there is none."""
    vocabulary: int = 0
    tied: bool = False
    """Whether the output head is the embedding once more, and not stored."""
    quantization: str = ""
    """Method of a quantized checkpoint (fp8, awq …); empty if it is not."""
    blocks: Blocks | None = None
    """Of a block-quantized checkpoint."""
    recurrent: Recurrent | None = None

    @property
    def attention_layers(self) -> int:
        """Layers that keep keys and values of every token."""
        return self.layers - (self.recurrent.layers if self.recurrent else 0)


class _Quantization(msgspec.Struct):
    quant_method: str = ""
    weight_block_size: tuple[int, int] | None = None
    group_size: int | None = None


class _Config(msgspec.Struct):
    """The keys that are read, with the defaults of the families' own configuration classes."""

    architectures: list[str]
    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    max_position_embeddings: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    intermediate_size: int = 0
    torch_dtype: str | None = None
    dtype: str | None = None
    num_experts: int = 0
    num_experts_per_tok: int = 0
    moe_intermediate_size: int = 0
    shared_expert_intermediate_size: int = 0
    vocab_size: int = 0
    tie_word_embeddings: bool = False
    decoder_sparse_step: int = 1
    mlp_only_layers: list[int] | None = None
    quantization_config: _Quantization | None = None
    full_attention_interval: int = 4
    linear_num_key_heads: int = 16
    linear_key_head_dim: int = 128
    linear_num_value_heads: int = 32
    linear_value_head_dim: int = 128
    linear_conv_kernel_dim: int = 4


KEYS = tuple(field.encode_name for field in msgspec.structs.fields(_Config))
"""Top-level keys of config.json that are read; a report of a model's facts holds these and no other."""
QUANTIZATION_KEYS = tuple(field.encode_name for field in msgspec.structs.fields(_Quantization))
"""The same of `quantization_config`, which may also list every layer by name."""


def architecture(config: dict[str, Any]) -> Architecture:
    """The architecture that a decoded config.json describes.

    :raises Unsupported: if it belongs to no known family, or a number is missing or wrong.
    """
    name = _family(config)
    try:
        read = msgspec.convert(config, _Config)
        return _architecture(name, read)
    except msgspec.ValidationError as error:
        raise Unsupported(f"config.json can't be read: {error}") from None
    except KeyError as error:
        raise Unsupported(f"config.json names the type {error}, which the engine does not compute in") from None
    except ZeroDivisionError:
        raise Unsupported("config.json gives 0 where a number of heads or layers is needed") from None


def _family(config: dict[str, Any]) -> str:
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else None
    if name in FAMILIES:
        return str(name)
    known = ", ".join(sorted(FAMILIES))
    raise Unsupported(f"config.json names the architecture {name}, and memory is known only for {known}")


def _architecture(name: str, read: _Config) -> Architecture:
    return Architecture(
        name=name,
        layers=read.num_hidden_layers,
        heads=read.num_attention_heads,
        kv_heads=read.num_key_value_heads or read.num_attention_heads,
        head_dim=read.head_dim or read.hidden_size // read.num_attention_heads,
        hidden=read.hidden_size,
        context_limit=read.max_position_embeddings,
        width=WIDTHS[read.dtype or read.torch_dtype or "bfloat16"],
        intermediate=_dense_width(read),
        experts=read.num_experts,
        experts_per_token=read.num_experts_per_tok,
        expert_intermediate=read.moe_intermediate_size,
        shared_intermediate=read.shared_expert_intermediate_size,
        vocabulary=read.vocab_size,
        tied=read.tie_word_embeddings,
        quantization=read.quantization_config.quant_method if read.quantization_config else "",
        blocks=_blocks(read.quantization_config),
        recurrent=_recurrent(read) if name == "Qwen3NextForCausalLM" else None,
    )


def _dense_width(read: _Config) -> int:
    dense = not read.num_experts or read.decoder_sparse_step > 1 or bool(read.mlp_only_layers)
    return read.intermediate_size if dense else 0


def _blocks(read: _Quantization | None) -> Blocks | None:
    if read and read.weight_block_size:
        return Blocks(*read.weight_block_size)
    if read and read.group_size and read.group_size > 0:
        return Blocks(1, read.group_size)
    return None


def _recurrent(read: _Config) -> Recurrent:
    return Recurrent(
        layers=read.num_hidden_layers - read.num_hidden_layers // read.full_attention_interval,
        key_heads=read.linear_num_key_heads,
        key_dim=read.linear_key_head_dim,
        value_heads=read.linear_num_value_heads,
        value_dim=read.linear_value_head_dim,
        kernel=read.linear_conv_kernel_dim,
    )
