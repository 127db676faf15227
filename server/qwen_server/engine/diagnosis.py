"""Which of the reasons an engine's own error means, and its sentence where numbers say more than advice.

vLLM, torch and NCCL give their causes as sentences. Each mark below is a part of such a sentence that names one cause
and no other; a test holds the marks of vLLM's against its sources. It must never guess: a sentence without a mark keeps
the general reason and its own words.
"""

import re

from qwen_server.termination import Reason

MARKS: tuple[tuple[str, Reason], ...] = (
    ("No available memory for the cache blocks", Reason.KV_CACHE_TOO_SMALL),
    ("To serve at least one request with the model's max seq len", Reason.KV_CACHE_TOO_SMALL),
    ("out of memory occurred when warming up", Reason.GPU_OUT_OF_MEMORY_WARMING),
    ("is less than desired GPU memory utilization", Reason.GPU_MEMORY_TAKEN),
    ("must be divisible by tensor parallel size", Reason.TENSOR_SIZE_NOT_DIVISIBLE),
    ("is not divisible by weight quantization block", Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE),
    ("is only supported on GPUs with compute capability of at least", Reason.GPU_TOO_OLD),
    ("is not supported for the current GPU. M", Reason.GPU_TOO_OLD),  # "Min…": a newer one would do
    ("Unknown quantization method", Reason.UNSUPPORTED_QUANTIZATION),
    ("does not match the quantization method specified in the `quantization` argument", Reason.INVALID_ARGUMENT),
    ("are not supported for now. Supported architectures", Reason.UNSUPPORTED_ARCHITECTURE),
    ("Following weights were not initialized from checkpoint", Reason.CORRUPT_WEIGHTS),
    ("Error while deserializing header", Reason.CORRUPT_WEIGHTS),  # safetensors
    ("driver on your system is too old", Reason.DRIVER_TOO_OLD),  # torch
    ("CUDA driver version is insufficient", Reason.DRIVER_TOO_OLD),  # CUDA's runtime
    ("Found no NVIDIA driver", Reason.NO_DRIVER),  # torch
    ("unable to open shared memory object", Reason.SHARED_MEMORY_TOO_SMALL),  # torch
    ("unable to mmap", Reason.SHARED_MEMORY_TOO_SMALL),  # torch
    ("creating shared memory segment", Reason.SHARED_MEMORY_TOO_SMALL),  # NCCL
    ("NCCL error", Reason.NCCL_ERROR),
    ("CUDA error", Reason.CUDA_ERROR),  # torch
)
"""The first that occurs counts: a shortage of shared memory reaches the log as an error of NCCL."""

OUT_OF_MEMORY = "CUDA out of memory"
"""torch's words, whatever was being done at the time."""

_NEED = re.compile(
    r"max seq len \((?P<context>\d+)\), \((?P<need>[\d.]+) GiB KV cache is needed, which is larger than the available "
    r"KV cache memory \((?P<have>[\d.]+) GiB\)(?:.*maximum model length is (?P<most>\d+))?"
)


def diagnosis(cause: str, *, loaded: bool) -> Reason | None:
    """The reason that an engine's error means, or None where none of the marks is in it.

    :param loaded: whether all weights were read by then: what tells a model that is too large from a step that is.
    """
    text = " ".join(cause.split())
    if found := next((reason for mark, reason in MARKS if mark in text), None):
        return found
    if OUT_OF_MEMORY in text:
        return Reason.GPU_OUT_OF_MEMORY_WARMING if loaded else Reason.GPU_OUT_OF_MEMORY_LOADING
    return None


def sentence(cause: str) -> str:
    """The cause as it is told: with the numbers of a KV cache that is too small first, else as it came."""
    found = _NEED.search(" ".join(cause.split()))
    if found is None:
        return f"The engine could not start: {cause.rstrip('.')}."
    most = f"; at most {found['most']} tokens fit" if found["most"] else ""
    return (
        f"One request of {found['context']} tokens needs {found['need']} GiB of KV cache, "
        f"and {found['have']} GiB are free beside the model{most}."
    )
