"""A folder looked at, as it lies there: is it what its manifest says, is it a whole model, what are its facts.

Only reads, so it also serves claims and images that are not ours to write. It must never call a folder verified whose
bytes were not compared with hashes.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from qwen_server.weights import tensors
from qwen_server.weights.description import report
from qwen_server.weights.disk import blocks
from qwen_server.weights.marker import LEDGER, MARKER, Manifest, NoManifest, read_manifest
from qwen_server.weights.progress import Gauge
from qwen_server.weights.reading import content
from qwen_server.weights.reasons import Reason, WeightsError
from qwen_server.weights.selection import CONFIG, INDEX

COPY: Final = "copy the model completely"
AGAIN: Final = "fetch the weights again"
READABLE: Final = "let every user read the folder (chmod -R a+rX)"
OTHER_FORMS: Final = ("*.bin", "*.pt", "*.gguf")
"""Weights that an engine may read, and that tell nothing of themselves without running what they hold."""


def marked(folder: Path) -> Manifest | None:
    """The manifest of a folder that was filled by a fetch; None for one that was filled by hand.

    Raises:
        WeightsError: ModelPathNotFound; NotVerified where a fetch was never finished.
    """
    if not folder.is_dir():
        raise Reason.MODEL_PATH_NOT_FOUND.about(folder=folder)
    try:
        found = read_manifest(folder / MARKER)
    except (NoManifest, OSError):
        raise Reason.NOT_VERIFIED.about(folder=folder, why=f"{MARKER} cannot be read", remedy=AGAIN) from None
    if found is None and (folder / LEDGER).exists():
        raise Reason.NOT_VERIFIED.about(folder=folder, why="its download was never finished", remedy=AGAIN)
    return found


def changed(folder: Path, manifest: Manifest, gauge: Gauge | None = None) -> list[str]:
    """Names of files that are not what was verified: by size, and with a gauge also by the hash of every byte."""
    wrong = manifest.of_another_size(folder)
    if gauge is not None:
        gauge.count(sum(file.size for file in manifest.files.values()))
        rest = {name: file for name, file in manifest.files.items() if name not in wrong}
        wrong += [name for name, file in rest.items() if _sha256(folder / name, gauge) != file.sha256]
    return wrong


def _sha256(path: Path, gauge: Gauge) -> str:
    sums = hashlib.sha256()
    for block in blocks(path):
        sums.update(block)
        gauge.found(len(block))
    return sums.hexdigest()


def verify(folder: Path, gauge: Gauge) -> Manifest:
    """Compare every byte with the manifest.

    Raises:
        WeightsError: ModelPathNotFound; NotVerified where there is no manifest, or a file is not as it was.
    """
    found = marked(folder)
    if found is None:
        why = f"it was filled by hand and holds no {MARKER}"
        raise Reason.NOT_VERIFIED.about(
            folder=folder, why=why, remedy="fetch it with hf:// or s3:// to have it verified"
        )
    if wrong := changed(folder, found, gauge):
        raise Reason.NOT_VERIFIED.about(folder=folder, why=f"{wrong[0]} is not as it was fetched", remedy=AGAIN)
    return found


def describe(folder: Path) -> str:
    """The facts of a whole model, as one line; without any tensor where its weights are in another form.

    Raises:
        WeightsError: ModelPathNotFound, NotVerified, or ModelInvalid where a file is missing, cut off or no model's.
    """
    found = marked(folder)
    if found is not None and (wrong := changed(folder, found)):
        raise Reason.NOT_VERIFIED.about(folder=folder, why=f"{wrong[0]} is not as it was fetched", remedy=AGAIN)
    config, files = _config(folder), _weights(folder)
    sizes = _sizes(found, files or _in_other_forms(folder))
    return report(found.commit if found else "", sizes, config, tensors.every_tensor(files))


def _sizes(found: Manifest | None, files: list[Path]) -> list[int]:
    """Bytes of each file: all that was fetched, or the weights alone where somebody else filled the folder."""
    if found is not None:
        return [file.size for file in found.files.values()]
    return [file.stat().st_size for file in files]


def _config(folder: Path) -> dict[str, Any]:
    try:
        read = json.loads(content(folder / CONFIG))
    except PermissionError:
        raise _invalid(folder, f"{CONFIG} may not be read", READABLE) from None
    except (OSError, ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise _invalid(folder, f"{CONFIG} is missing or no JSON object")
    return read


def _in_other_forms(folder: Path) -> list[Path]:
    return [file for form in OTHER_FORMS for file in sorted(folder.glob(form))]


def _weights(folder: Path) -> list[Path]:
    try:
        files = tensors.weight_files(folder)
    except tensors.NONSENSE:
        raise _invalid(folder, f"{INDEX} is no index") from None
    if not files and not _in_other_forms(folder):
        raise _invalid(folder, "there are no *.safetensors")
    broken = next((file for file in files if not tensors.is_complete(file)), None)
    if broken:
        raise _invalid(folder, f"{broken.name} is missing or incomplete")
    return files


def _invalid(folder: Path, why: str, remedy: str = COPY) -> WeightsError:
    return Reason.MODEL_INVALID.about(what=folder, why=why, remedy=remedy)
