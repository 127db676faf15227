"""How many bytes of weights have reached the engine: true counts that its worker processes write and this one reads.

One file, eight bytes a worker. It must never slow a load down, and never guess.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COUNT = struct.Struct("<Q")


def make(path: Path, workers: int) -> None:
    """An empty count for so many workers."""
    path.write_bytes(bytes(COUNT.size * workers))


def counts(path: Path) -> list[int]:
    """What each worker has read so far, in bytes; nothing when there is no count."""
    try:
        return [count for (count,) in COUNT.iter_unpack(path.read_bytes())]
    except (OSError, struct.error):
        return []


def bytes_done(path: Path) -> int:
    """Bytes that every worker has seen: with several workers each reads all of the weights and keeps its part."""
    return min(counts(path), default=0)


def counted(weights: Iterator[tuple[str, Any]], path: Path, worker: int) -> Iterator[tuple[str, Any]]:
    """The same weights, each counted as it passes."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
        done = 0
        for name, tensor in weights:
            yield name, tensor
            done += tensor.nbytes
            COUNT.pack_into(shared, COUNT.size * worker, done)


def count_loads(path: Path) -> None:
    """Let vLLM's loader count in this process; called in each child before it loads anything.

    `DefaultModelLoader.get_all_weights` is not a public interface: only called for tested versions of vLLM.
    """
    from vllm.distributed.parallel_state import get_world_group
    from vllm.model_executor.model_loader.default_loader import DefaultModelLoader

    original = DefaultModelLoader.get_all_weights

    def get_all_weights(self: Any, *arguments: Any, **named: Any) -> Iterator[tuple[str, Any]]:
        return counted(original(self, *arguments, **named), path, get_world_group().local_rank)

    DefaultModelLoader.get_all_weights = get_all_weights
