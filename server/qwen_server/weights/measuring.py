"""What a source holds, told without fetching it: the facts of a fetch, from the first bytes of each file.

So a claim can be made in the right size, and a model that cannot fit is refused, before half a terabyte has come. It
must never ask for a tensor's content, nor write anything.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any, Final

from qwen_server.weights import selection
from qwen_server.weights.description import report
from qwen_server.weights.listing import Listing, Origin, RemoteFile
from qwen_server.weights.reasons import Reason, WeightsError
from qwen_server.weights.tensors import LENGTH, LONGEST_HEADER, NONSENSE, Tensor, described

AT_ONCE: Final = 8
"""Files that are looked into at the same time."""


def measure(origin: Origin) -> str:
    """The facts of a source, as one line.

    Raises:
        WeightsError: the first failure; whoever runs this tries again.
    """
    listing = origin.listing(None)
    small = selection.describing(listing)
    config, index = (_whole(origin, listing, name) for name in (selection.CONFIG, selection.INDEX))
    files = selection.tensors(listing, index)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="file") as pool:
        tensors = list(chain.from_iterable(pool.map(partial(_tensors, origin, listing), files)))
    return report(listing.commit, (file.size for file in small + files), _read(listing, config), tensors)


def _whole(origin: Origin, listing: Listing, name: str) -> bytes | None:
    """All of a small file."""
    file = listing.file(name)
    return None if file is None else _first(origin, file, file.size)


def _first(origin: Origin, file: RemoteFile, count: int) -> bytes:
    """So many bytes of a file. Raises WeightsError where fewer come."""
    begun = origin.first(file, count)
    if len(begun) < count:
        raise Reason.SOURCE_UNREACHABLE.about(place=origin.place, why=f"{file.name} ended early")
    return begun


def _tensors(origin: Origin, listing: Listing, file: RemoteFile) -> list[Tensor]:
    """What a file's header says. Raises WeightsError where it is none."""
    try:
        (length,) = LENGTH.unpack(_first(origin, file, min(LENGTH.size, file.size)))
        if length > min(file.size, LONGEST_HEADER):
            raise ValueError(file.name)
        return list(described(json.loads(_first(origin, file, LENGTH.size + length)[LENGTH.size :])))
    except NONSENSE:
        raise _invalid(listing, f"{file.name} is no safetensors file") from None


def _read(listing: Listing, config: bytes | None) -> dict[str, Any]:
    try:
        read = json.loads(config or b"")
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise _invalid(listing, f"{selection.CONFIG} is no JSON object")
    return read


def _invalid(listing: Listing, why: str) -> WeightsError:
    return Reason.MODEL_INVALID.about(what=listing.uri, why=why, remedy="choose another revision")
