"""Settings as vLLM's own arguments, and the one rule about the length of the context. Pure.

It must never import vLLM: the rules are tried without it.
"""

from typing import Any

from qwen_server.engine.base import EngineStartFailed
from qwen_server.settings import Device, EngineSettings
from qwen_server.termination import Reason

LONGEST_CONTEXT = 200_000
"""Tokens of prompt and completion together that the interface promises at most."""
CPU_CONTEXT = 8_192
"""Tokens on a CPU where no length is asked for: a prompt of 200,000 tokens would take hours there."""
CPU_FULL_SEQUENCES = 2
"""Sequences of full length that the KV cache of a CPU is made for; shorter ones share it."""


def context_length(asked: int | None, own: int, device: Device) -> int:
    """min(200000, the model's own, what is asked). Raises EngineStartFailed when the model cannot do what is asked."""
    if asked is not None and asked > own:
        message = f"A context of {asked} tokens is longer than this model's own limit of {own}; ask for {own} or less."
        raise EngineStartFailed(message, Reason.CONTEXT_TOO_LONG)
    default = CPU_CONTEXT if device is Device.CPU else LONGEST_CONTEXT
    return min(asked or default, own, LONGEST_CONTEXT)


def engine_arguments(settings: EngineSettings) -> dict[str, Any]:
    """Arguments of `AsyncEngineArgs`, without the length of the context. What is not given stays vLLM's default."""
    options = settings.arguments
    passed_on: dict[str, Any] = {
        "max_num_seqs": settings.max_num_seqs,
        "max_num_batched_tokens": options.max_num_batched_tokens,
        "block_size": options.block_size,
        "kv_cache_dtype": settings.kv_cache_dtype,
        "quantization": options.quantization,
        "load_format": options.load_format,
        "enforce_eager": options.enforce_eager,
        "enable_prefix_caching": options.enable_prefix_caching,
        "seed": options.seed,
        "generation_config": options.generation_config,
    }
    if settings.device is Device.CPU and options.enforce_eager is None:
        passed_on["enforce_eager"] = True  # compiled graphs need a C++ compiler, which an image does not carry
    return {name: value for name, value in passed_on.items() if value is not None} | {
        "model": str(settings.model),
        "served_model_name": [settings.served_model_name],
        "dtype": str(settings.dtype),
        "tensor_parallel_size": settings.tensor_parallel_size,
        "pipeline_parallel_size": settings.pipeline_parallel_size,
        "data_parallel_size": settings.data_parallel_size,
        "enable_expert_parallel": settings.enable_expert_parallel,
        "gpu_memory_utilization": settings.gpu_memory_utilization,
        "trust_remote_code": False,
        "language_model_only": True,  # text in, text out; no address in a message is ever fetched
        "use_tqdm_on_load": False,
        "enable_log_requests": False,
        "disable_log_stats": False,  # the Prometheus series; nothing is written to a log
    }


def cpu_cache_bytes(bytes_per_token: int, context: int, available: int, share: float, weights: int) -> int:
    """Bytes of a CPU's KV cache: two full sequences, or what the memory leaves, but at least one.

    `available` and `weights` are bytes, `share` is the part of the memory that may be used.
    """
    one = bytes_per_token * context
    left = int(available * share) - weights
    return max(one, min(CPU_FULL_SEQUENCES * one, left))
