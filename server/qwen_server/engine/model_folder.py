"""The model's folder as it lies on the disk, judged before anything is loaded and no GPU is held for nothing.

It must never import an engine; what only the engine can judge is left to it.
"""

import contextlib
import json
from pathlib import Path

from qwen_server.engine.base import EngineStartFailed
from qwen_server.termination import Reason
from qwen_server.weights import marker, tensors
from qwen_server.weights.selection import INDEX

WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.gguf")
LFS_POINTER = b"version https://git-lfs"
"""How the file begins that a clone has until Git LFS fetches the real one."""


def check(folder: Path, *, needs_weights: bool = True) -> None:
    """Raise EngineStartFailed when this cannot be a model: ModelPathNotFound or ModelInvalid."""
    if not folder.is_dir():
        there = f"{folder} is a file, no folder" if folder.exists() else f"There is no folder {folder}"
        message = f"{there}; check the path, which must lead to the folder of a model."
        raise EngineStartFailed(message, Reason.MODEL_PATH_NOT_FOUND)
    if needs_weights and (complaint := marker.complaint(folder)):
        raise EngineStartFailed(complaint, Reason.MODEL_INVALID)
    try:
        described = isinstance(json.loads((folder / "config.json").read_bytes()), dict)
    except OSError:
        message = f"{folder} holds no readable config.json, so it is no model; check the path."
        raise EngineStartFailed(message, Reason.MODEL_INVALID) from None
    except (ValueError, RecursionError):
        described = False
    if not described:
        message = f"{folder / 'config.json'} is no JSON object; copy the model again."
        raise EngineStartFailed(message, Reason.MODEL_INVALID)
    if needs_weights and not any(next(folder.glob(pattern), None) for pattern in WEIGHTS):
        message = f"{folder} holds no weights (no *.safetensors); copy the model completely."
        raise EngineStartFailed(message, Reason.MODEL_INVALID)
    broken = incomplete_files(folder) if needs_weights else []
    if broken:
        raise EngineStartFailed(flaw(broken[0]), Reason.MODEL_INVALID)


def flaw(file: Path) -> str:
    """What is wrong with a file of weights that is not what it should be."""
    with contextlib.suppress(OSError), file.open("rb") as opened:
        if opened.read(len(LFS_POINTER)) == LFS_POINTER:
            return f"{file} is a pointer of Git LFS instead of weights; run `git lfs pull` in its folder."
    return f"{file} is missing or incomplete; copy the model completely."


def incomplete_files(folder: Path) -> list[Path]:
    """Files of weights that are missing or cut off, as an interrupted copy leaves them."""
    try:
        return [file for file in tensors.weight_files(folder) if not tensors.is_complete(file)]
    except tensors.NONSENSE:
        return [folder / INDEX]


def weight_bytes(folder: Path) -> int | None:
    """Bytes of all tensors that will be read; None where only the engine can tell."""
    try:
        return sum(map(tensors.tensor_bytes, tensors.weight_files(folder))) or None
    except tensors.NONSENSE:
        return None
