"""Why the server ends, in one line that the operator reads: the termination message of the container.

The operator turns the reasons, by name, into conditions. A message must never hold content or a key.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MESSAGE_BYTES = 1024
"""Upper bound of a message: kubelet keeps at most 4096 bytes of the whole file, and a status should stay readable."""


class Reason(StrEnum):
    """Why the server cannot go on."""

    MODEL_PATH_NOT_FOUND = "ModelPathNotFound"
    """The folder that --model names does not exist."""
    MODEL_INVALID = "ModelInvalid"
    """The folder holds no config.json or no weights that the engine can read."""
    NO_USABLE_KEY = "NoUsableKey"
    """The keys directory holds no key at start: nobody could be served."""
    CONTEXT_TOO_LONG = "ContextTooLong"
    """The context asked for is longer than the model's own limit."""
    INVALID_ARGUMENT = "InvalidArgument"
    """A flag is unknown or its value impossible."""
    KV_CACHE_TOO_SMALL = "KVCacheTooSmall"
    """Beside the model there is no room for one request of full length."""
    GPU_OUT_OF_MEMORY_LOADING = "GPUOutOfMemoryLoading"
    """The weights are larger than the GPUs' memory."""
    GPU_OUT_OF_MEMORY_WARMING = "GPUOutOfMemoryWarming"
    """The weights fit, and the first computation does not."""
    GPU_MEMORY_TAKEN = "GPUMemoryTaken"
    """Somebody else holds memory of the GPU."""
    TENSOR_SIZE_NOT_DIVISIBLE = "TensorSizeNotDivisible"
    """The attention heads cannot be split among so many GPUs."""
    QUANTIZATION_BLOCK_NOT_DIVISIBLE = "QuantizationBlockNotDivisible"
    """The split would cut through blocks that share one scale."""
    GPU_TOO_OLD = "GPUTooOld"
    """The GPU cannot compute in this number format."""
    UNSUPPORTED_QUANTIZATION = "UnsupportedQuantization"
    """The weights are quantized in a way that the engine does not know."""
    UNSUPPORTED_ARCHITECTURE = "UnsupportedArchitecture"
    """config.json names an architecture that the engine does not know."""
    CORRUPT_WEIGHTS = "CorruptWeights"
    """A file of weights is damaged, or not of this model."""
    DRIVER_TOO_OLD = "DriverTooOld"
    """The node's driver is older than the image's CUDA."""
    NO_DRIVER = "NoDriver"
    """The container sees no GPU."""
    SHARED_MEMORY_TOO_SMALL = "SharedMemoryTooSmall"
    """The processes of one replica cannot talk through /dev/shm."""
    NCCL_ERROR = "NCCLError"
    """The GPUs cannot talk to one another."""
    CUDA_ERROR = "CUDAError"
    """A GPU or its driver failed."""
    ENGINE_START_FAILED = "EngineStartFailed"
    """The engine gave up while loading; the message carries its own last error line."""
    LOAD_STALLED = "LoadStalled"
    """The start stood still for the stall limit."""
    ENGINE_DEAD = "EngineDead"
    """The engine died, or hung for longer than the stall limit, while serving."""


PASSING_REASONS = frozenset(
    {
        Reason.ENGINE_START_FAILED,
        Reason.LOAD_STALLED,
        Reason.ENGINE_DEAD,
        Reason.GPU_MEMORY_TAKEN,
        Reason.NCCL_ERROR,
        Reason.CUDA_ERROR,
    }
)
"""What another start may get over."""

EXIT_CLEAN = 0
EXIT_SOFTWARE = 70
EXIT_CONFIG = 78


@dataclass(frozen=True, slots=True)
class Termination:
    """A failing end: its reason and one sentence with the remedy."""

    reason: Reason
    message: str
    advice: str = ""
    """Commands for a person at a terminal; the operator has its own."""

    @property
    def exit_status(self) -> int:
        """The status of sysexits.h: 78 for something the user must mend, 70 for an engine failure."""
        return EXIT_SOFTWARE if self.reason in PASSING_REASONS else EXIT_CONFIG

    def line(self) -> str:
        """One line of JSON: `{"reason": …, "message": …}`, the message cut to MESSAGE_BYTES."""
        sentence = " ".join(self.message.split()).encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore")
        return json.dumps({"reason": str(self.reason), "message": sentence}, ensure_ascii=False)


def write_termination(path: Path, termination: Termination) -> None:
    """Leave the message for the operator."""
    write_line(path, termination.line())


def write_line(path: Path, line: str) -> None:
    """Leave one line as the message. Where kubelet has put no file under /dev, nothing is written."""
    flags = os.O_WRONLY | os.O_TRUNC | (0 if path.parent == Path("/dev") else os.O_CREAT)
    with contextlib.suppress(OSError), os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8") as file:
        file.write(line + "\n")
