"""Every setting of the server, documented where it is declared; the command line is made from these fields.

A setting is called as vLLM calls its own where both mean the same. It must never read the environment or a file: what
runs is what the command line says.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from qwen_server.flags import (
    Group,
    choice,
    flag,
    integer,
    longer_than,
    seconds,
    share,
    switch,
    tcp_port,
    visible,
    whole,
)
from qwen_server.parsers import Parsers, ReasoningParser, ToolCallParser

SILENT_SECONDS = 8.0
"""Without a sign of life for so long the engine is silent and the server not ready; dead can only be what is silent."""


class Device(StrEnum):
    """Where the model computes."""

    CPU = "cpu"
    GPU = "gpu"


class EngineName(StrEnum):
    """Which engine answers."""

    VLLM = "vllm"
    SCRIPTED = "scripted"


class ContextOverflow(StrEnum):
    """What happens to a request whose prompt fits but whose prompt and completion together do not."""

    REJECT = "reject"
    CLAMP = "clamp"


class Dtype(StrEnum):
    """The number format of the computation."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineArguments:
    """vLLM's own options that a user may pass on (spec.server.args). None leaves vLLM's default."""

    max_num_batched_tokens: int | None = field(
        default=None, metadata=flag(Group.OF_VLLM, "TOKENS", "tokens computed in one step", whole)
    )
    block_size: int | None = field(
        default=None, metadata=flag(Group.OF_VLLM, "TOKENS", "tokens in one block of the KV cache", whole)
    )
    quantization: str | None = field(
        default=None, metadata=flag(Group.OF_VLLM, "METHOD", "how the weights are quantized, such as awq", str)
    )
    load_format: str | None = field(
        default=None, metadata=flag(Group.OF_VLLM, "FORMAT", "format of the weights, such as safetensors", str)
    )
    enforce_eager: bool | None = field(default=None, metadata=switch(Group.OF_VLLM, "compute without compiled graphs"))
    enable_prefix_caching: bool | None = field(
        default=None, metadata=switch(Group.OF_VLLM, "keep computed prefixes for later requests")
    )
    seed: int | None = field(default=None, metadata=flag(Group.OF_VLLM, "N", "seed of the engine", integer))
    generation_config: str | None = field(
        default=None,
        metadata=flag(Group.OF_VLLM, "WHERE", "source of sampling defaults: auto, vllm or a folder", str),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What an engine is told."""

    model: Path = field(
        metadata=flag(Group.MODEL, "PATH", "folder with config.json, tokenizer and weights (required)", Path)
    )
    served_model_name: str = field(
        default="",
        metadata=flag(Group.MODEL, "NAME", "model id that clients send (default: the folder's name)", visible),
    )
    max_model_len: int | None = field(
        default=None,
        metadata=flag(
            Group.MODEL,
            "TOKENS",
            "context, prompt and completion together (default: the model's own, but at most 200000, and 8192 on a CPU)",
            whole,
        ),
    )
    device: Device = field(default=Device.GPU, metadata=choice(Group.ENGINE, "where the model computes", Device))
    dtype: Dtype = field(default=Dtype.AUTO, metadata=choice(Group.MODEL, "number format of the computation", Dtype))
    tensor_parallel_size: int = field(default=1, metadata=flag(Group.ENGINE, "N", "GPUs that share each layer", whole))
    pipeline_parallel_size: int = field(
        default=1, metadata=flag(Group.ENGINE, "N", "groups of GPUs that share the layers", whole)
    )
    data_parallel_size: int = field(
        default=1, metadata=flag(Group.ENGINE, "N", "groups of GPUs that each take requests of their own", whole)
    )
    enable_expert_parallel: bool = field(
        default=False, metadata=switch(Group.ENGINE, "each GPU holds whole experts, not a slice of every one")
    )
    kv_cache_dtype: str | None = field(
        default=None,
        metadata=flag(
            Group.ENGINE, "FORMAT", "number format of the KV cache, such as fp8 (default: the computation's)", str
        ),
    )
    gpu_memory_utilization: float = field(
        default=0.9, metadata=flag(Group.ENGINE, "SHARE", "part of each GPU's memory to use, from 0 to 1", share)
    )
    max_num_seqs: int | None = field(
        default=None, metadata=flag(Group.ENGINE, "N", "sequences computed at once (default: vLLM's own)", whole)
    )
    arguments: EngineArguments = field(default_factory=EngineArguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server is told. Durations are in seconds."""

    engine_settings: EngineSettings
    keys: Path = field(
        metadata=flag(
            Group.KEYS,
            "DIR",
            "one file for each API key (required): its name is the key's name, its content the key or sha256:<hex>;"
            " a file NAME.expires may hold the end of the key NAME (RFC 3339). Read again while the server runs",
            Path,
        )
    )
    context_overflow: ContextOverflow = field(
        default=ContextOverflow.REJECT,
        metadata=choice(
            Group.MODEL, "a completion that does not fit the context is refused or shortened", ContextOverflow
        ),
    )
    tool_call_parser: ToolCallParser = field(
        default=ToolCallParser.AUTO,
        metadata=choice(Group.MODEL, "how tool calls are read; auto follows the model's chat template", ToolCallParser),
    )
    reasoning_parser: ReasoningParser = field(
        default=ReasoningParser.AUTO,
        metadata=choice(Group.MODEL, "how reasoning is read; auto follows the model's chat template", ReasoningParser),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=flag(Group.LISTENING, "ADDRESS", "address to listen on; 0.0.0.0 is every address of the machine", str),
    )
    port: int = field(
        default=8000, metadata=flag(Group.LISTENING, "PORT", "port of the API; 0 is any free one", tcp_port)
    )
    management_port: int = field(
        default=8001,
        metadata=flag(Group.LISTENING, "PORT", "port of probes and metrics, which ask for no key", tcp_port),
    )
    endpoint_delay: float = field(
        default=5.0,
        metadata=flag(Group.LIFE, "SECONDS", "for how long new requests are still taken after SIGTERM", seconds),
    )
    drain_timeout: float = field(
        default=300.0,
        metadata=flag(Group.LIFE, "SECONDS", "for how long running requests may go on after that", seconds),
    )
    stall_timeout: float = field(
        default=600.0,
        metadata=flag(
            Group.LIFE, "SECONDS", "silence of the engine after which it counts as dead", longer_than(SILENT_SECONDS)
        ),
    )
    engine: EngineName = field(
        default=EngineName.VLLM,
        metadata=choice(Group.AROUND, "scripted answers without a model, with exact, repeatable text", EngineName),
    )
    script: Path | None = field(
        default=None, metadata=flag(Group.AROUND, "FILE", "JSON that steers the scripted engine", Path)
    )
    termination_log: Path = field(
        default=Path("/dev/termination-log"),
        metadata=flag(Group.AROUND, "FILE", "where the reason of a failing end is left", Path),
    )

    @property
    def parsers(self) -> Parsers:
        """How answers are read."""
        return Parsers(tool_call=self.tool_call_parser, reasoning=self.reasoning_parser)
