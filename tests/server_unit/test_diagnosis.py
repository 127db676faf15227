"""What an engine's error means, from sentences as vLLM, torch, NCCL and safetensors give them."""

import pytest

from qwen_server.engine.diagnosis import diagnosis, sentence
from qwen_server.termination import Reason

KV_CACHE = (
    "ValueError: To serve at least one request with the model's max seq len (200000), (47.3 GiB KV cache is needed, "
    "which is larger than the available KV cache memory (6.2 GiB). Based on the available memory, the estimated "
    "maximum model length is 26208. Try increasing `gpu_memory_utilization` (which also controls CPU memory on the CPU "
    "backend) or decreasing `max_model_len` when initializing the engine."
)
OUT_OF_MEMORY = (
    "OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB. GPU 0 has a total capacity of 79.11 GiB of "
    "which 713.50 MiB is free."
)
SAID = {
    "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`": (
        Reason.KV_CACHE_TOO_SMALL
    ),
    KV_CACHE: Reason.KV_CACHE_TOO_SMALL,
    "RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests.": (
        Reason.GPU_OUT_OF_MEMORY_WARMING
    ),
    "ValueError: Free memory on device cuda:0 (31.2/79.11 GiB) on startup is less than desired GPU memory utilization "
    "(0.9, 71.2 GiB).": Reason.GPU_MEMORY_TAKEN,
    "ValueError: Total number of attention heads (96) must be divisible by tensor parallel size (7).": (
        Reason.TENSOR_SIZE_NOT_DIVISIBLE
    ),
    "ValueError: The output_size of gate's and up's weight = 320 is not divisible by weight quantization block_n = "
    "128.": Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE,
    "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has "
    "compute capability 7.5.": Reason.GPU_TOO_OLD,
    "ValueError: The quantization method modelopt_fp4 is not supported for the current GPU. Minimum capability: 100. "
    "Current capability: 90.": Reason.GPU_TOO_OLD,
    "RuntimeError: Quantization scheme is not supported for the current GPU. Min capability: 89. Current capability: "
    "80.": Reason.GPU_TOO_OLD,
    "ValueError: Unknown quantization method: exl2. Must be one of ['awq', 'fp8'].": Reason.UNSUPPORTED_QUANTIZATION,
    "ValueError: Quantization method specified in the model config (fp8) does not match the quantization method "
    "specified in the `quantization` argument (awq).": Reason.INVALID_ARGUMENT,
    "ValueError: Model architectures ['Qwen9ForCausalLM'] are not supported for now. Supported architectures: dict": (
        Reason.UNSUPPORTED_ARCHITECTURE
    ),
    "ValueError: Following weights were not initialized from checkpoint: {'model.norm.weight'}": Reason.CORRUPT_WEIGHTS,
    "SafetensorError: Error while deserializing header: MetadataIncompleteBuffer": Reason.CORRUPT_WEIGHTS,
    "RuntimeError: The NVIDIA driver on your system is too old (found version 12020). Please update your GPU driver": (
        Reason.DRIVER_TOO_OLD
    ),
    "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU": Reason.NO_DRIVER,
    "RuntimeError: unable to open shared memory object </torch_1> in read-write mode: No space left on device (28)": (
        Reason.SHARED_MEMORY_TOO_SMALL
    ),
    "DistBackendError: NCCL error in: NCCLUtils.hpp:268, unhandled system error. Last error: Error while creating "
    "shared memory segment /dev/shm/nccl-x (size 33030528), error: No space left on device (28)": (
        Reason.SHARED_MEMORY_TOO_SMALL
    ),
    "RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)": Reason.NCCL_ERROR,
    "AcceleratorError: CUDA error: uncorrectable ECC error encountered": Reason.CUDA_ERROR,
}
"""Sentences by the reason they mean; vLLM's as in release 0.32, the others as users quote them."""


@pytest.mark.parametrize("cause", SAID)
def test_a_sentence_of_the_engine_has_one_meaning(cause: str) -> None:
    """Whatever was read by then: a sentence that is clear needs no stage."""
    assert {diagnosis(cause, loaded=loaded) for loaded in (False, True)} == {SAID[cause]}


@pytest.mark.parametrize(
    ("loaded", "reason"), [(False, Reason.GPU_OUT_OF_MEMORY_LOADING), (True, Reason.GPU_OUT_OF_MEMORY_WARMING)]
)
def test_out_of_memory_means_the_weights_until_they_are_read(loaded: bool, reason: Reason) -> None:
    """torch says the same at either time."""
    assert diagnosis(OUT_OF_MEMORY, loaded=loaded) is reason


def test_an_unknown_sentence_means_nothing_in_particular() -> None:
    """It keeps its own words."""
    cause = "RuntimeError: something that nobody has seen before"

    assert diagnosis(cause, loaded=True) is None
    assert sentence(cause) == f"The engine could not start: {cause}."


def test_a_kv_cache_that_is_too_small_is_told_in_numbers() -> None:
    """What is needed, what is there, and what would fit."""
    told = sentence(KV_CACHE)

    assert told == (
        "One request of 200000 tokens needs 47.3 GiB of KV cache, and 6.2 GiB are free beside the model; "
        "at most 26208 tokens fit."
    )


def test_without_an_estimate_none_is_told() -> None:
    """vLLM leaves it out where nothing fits at all."""
    without = KV_CACHE.replace("Based on the available memory, the estimated maximum model length is 26208. ", "")

    assert sentence(without).endswith("and 6.2 GiB are free beside the model.")
