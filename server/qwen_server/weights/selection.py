"""Which files of a source a server needs: safetensors, and what describes the model and its tokens.

Pure. It must never choose a pickle (*.bin, *.pt, *.pth), code (*.py), or a name that leaves the folder.
"""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from qwen_server.weights.listing import Listing, RemoteFile
from qwen_server.weights.reasons import Reason

TENSORS: Final = "*.safetensors"
INDEX: Final = "model.safetensors.index.json"
CONFIG: Final = "config.json"
DESCRIBING: Final = ("*.json", "*.jinja", "*.model", "*.tiktoken", "merges.txt", "vocab.txt", "SHA256SUMS")
"""Configuration, generation defaults, chat template, processor, and every form of tokenizer that transformers reads."""
DUPLICATES: Final = ("consolidated*.safetensors", "original*.safetensors")
"""The same weights in another layout; taken only where an index names them."""


def describing(listing: Listing) -> list[RemoteFile]:
    """The small files, which come first.

    Raises:
        WeightsError: NoSafetensors, or ModelInvalid where config.json is missing.
    """
    if not any(_matches(file, (TENSORS,)) for file in listing.files):
        raise Reason.NO_SAFETENSORS.about(what=listing.uri)
    if listing.file(CONFIG) is None:
        raise Reason.MODEL_INVALID.about(
            what=listing.uri, why=f"there is no {CONFIG}", remedy="choose a repository of whole weights"
        )
    return [file for file in listing.files if _matches(file, DESCRIBING)]


def tensors(listing: Listing, index: bytes | None) -> list[RemoteFile]:
    """The files of weights: those that the index names, or all but duplicates where there is no index.

    Raises:
        WeightsError: ModelInvalid where the index is no index or names a file that is not there.
    """
    there = {file.name: file for file in listing.files if _matches(file, (TENSORS,))}
    if index is None:
        return [file for name, file in sorted(there.items()) if not any(fnmatchcase(name, one) for one in DUPLICATES)]
    named = named_by(index)
    missing = sorted(named - there.keys())
    if not named or missing:
        why = f"{INDEX} names {missing[0]}, which is not there" if missing else f"{INDEX} names no files"
        raise Reason.MODEL_INVALID.about(what=listing.uri, why=why, remedy="choose another revision")
    return [there[name] for name in sorted(named)]


def named_by(index: bytes) -> set[str]:
    """The files that an index spreads its tensors over; empty where it is no index."""
    try:
        names = set(json.loads(index)["weight_map"].values())
        return names if all(isinstance(name, str) for name in names) else set()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _matches(file: RemoteFile, patterns: Iterable[str]) -> bool:
    plain = "/" not in file.name and "\\" not in file.name and not file.name.startswith(".")
    return plain and any(fnmatchcase(file.name, pattern) for pattern in patterns)
