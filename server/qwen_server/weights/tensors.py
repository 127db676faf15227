"""What the headers of safetensors files say: names, types and sizes of tensors, without a byte of their content.

It must never load a tensor.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from qwen_server.weights.reading import content, regular
from qwen_server.weights.selection import INDEX, TENSORS, named_by

LENGTH: Final = struct.Struct("<Q")
"""The length of the header, in the first 8 bytes of a file."""
LONGEST_HEADER: Final = 100_000_000
"""Bytes; the limit of the safetensors library itself."""
NONSENSE: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    struct.error,
)
"""What reading a file raises that is not what its name says: anything can lie in a folder."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor as a header describes it."""

    name: str
    dtype: str
    """As safetensors spells it: BF16, F8_E4M3, I32 and so on."""
    size: int
    """Bytes."""


def header(file: Path) -> tuple[int, dict[str, Any]]:
    """The bytes in front of the tensors, and what is said of them. Raises one of NONSENSE."""
    with regular(file) as opened:
        (length,) = LENGTH.unpack(opened.read(LENGTH.size))
        if length > min(file.stat().st_size, LONGEST_HEADER):  # a pointer of Git LFS claims to have one of exabytes
            raise ValueError(file.name)
        read: dict[str, Any] = json.loads(opened.read(length))
        return LENGTH.size + length, read


def tensors(file: Path) -> Iterator[Tensor]:
    """Every tensor of a file. Raises one of NONSENSE."""
    yield from described(header(file)[1])


def described(head: Mapping[str, Any]) -> Iterator[Tensor]:
    """Every tensor that a header describes. Raises one of NONSENSE."""
    for name, found in head.items():
        if name != "__metadata__":
            begin, end = found["data_offsets"]
            yield Tensor(name, str(found["dtype"]), int(end) - int(begin))


def tensor_bytes(file: Path) -> int:
    """Bytes of tensors in a file: all of it but what stands in front. Raises one of NONSENSE."""
    return file.stat().st_size - header(file)[0]


def is_complete(file: Path) -> bool:
    """Whether a file is as long as its own header says."""
    try:
        before, head = header(file)
        ends = [int(tensor["data_offsets"][1]) for name, tensor in head.items() if name != "__metadata__"]
        return file.stat().st_size == before + max(ends, default=0)
    except NONSENSE:
        return False


def weight_files(folder: Path) -> list[Path]:
    """The files that will be read: those of the index where there is one, else all. Raises one of NONSENSE."""
    index = folder / INDEX
    if not index.is_file():
        return sorted(folder.glob(TENSORS))
    names = named_by(content(index))
    if not names:
        raise ValueError(INDEX)
    return [folder / name for name in sorted(names)]


def every_tensor(files: Iterable[Path]) -> Iterator[Tensor]:
    """The tensors of all files. Raises one of NONSENSE."""
    for file in files:
        yield from tensors(file)
