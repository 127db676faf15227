"""A model's facts, read from a folder or from a hub without its weights.

Why it exists: the first kilobytes of each safetensors file list its tensors, so that a model of 480 GB is known after a
few megabytes. It must never download weights, and never add anything up.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.utils.tqdm import disable_progress_bars

from qwen_operator.cli.endings import Mistake, Unknowable
from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import Facts, facts, summed
from qwen_operator.core.fit.tensors import Tensor

HUB = "hf://"
CONFIG = "config.json"
INDEX = "model.safetensors.index.json"


class Repository(NamedTuple):
    """A model on a hub."""

    name: str
    """Organisation and name."""
    revision: str | None
    """Branch, tag or commit; None is the default branch."""


def known(model: str) -> Facts:
    """The facts of a model.

    :param model: hf://<organisation>/<name>[@<revision>], or a folder with config.json and safetensors files; of these
        the index alone will do.
    :raises Mistake: the address is malformed, or there is nothing at it.
    :raises Unknowable: it can't be read, or not estimated.
    """
    try:
        return _on_hub(_repository(model)) if model.startswith(HUB) else _in_folder(Path(model))
    except Unsupported as reason:
        raise Unknowable(f"{model} can't be estimated: {reason}.") from None
    except errors.NotASafetensorsRepoError:
        raise Unknowable(
            f"{model} holds no safetensors files, and weights in other formats are not estimated."
        ) from None
    except errors.SafetensorsParsingError as error:
        raise Unknowable(f"A file of {model} is no safetensors file: {error}") from None
    except json.JSONDecodeError as error:
        raise Unknowable(f"A file of {model} is no JSON: {error}.") from None


def _repository(model: str) -> Repository:
    name, _, revision = model.removeprefix(HUB).partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise Mistake(
            f"{model} is not hf://<organisation>/<name>, or with a revision hf://<organisation>/<name>@<revision>."
        )
    return Repository(name, revision or None)


def _on_hub(repository: Repository) -> Facts:
    """Ask the hub that HF_ENDPOINT names, with the token of HF_TOKEN, as all of Hugging Face's tools do."""
    where, revision = repository
    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of each of its retries otherwise
    try:
        config = huggingface_hub.hf_hub_download(where, CONFIG, revision=revision)
        listed = huggingface_hub.get_safetensors_metadata(where, revision=revision)
    except errors.GatedRepoError:
        raise Unknowable(
            f"{HUB}{where} is gated: accept its terms on the hub, and set HF_TOKEN to your token."
        ) from None
    except errors.RepositoryNotFoundError:
        raise Unknowable(f"The hub knows no model {where}, or does not show it without a token in HF_TOKEN.") from None
    except errors.RevisionNotFoundError:
        raise Unknowable(f"{HUB}{where} has no revision {revision}.") from None
    except errors.HFValidationError as error:
        raise Mistake(f"{HUB}{where} is not a name that a hub has: {error}") from None
    except errors.EntryNotFoundError as error:
        raise Unknowable(_missing(where, error)) from None
    except (errors.HfHubHTTPError, httpx2.HTTPError, ConnectionError) as error:
        raise Unknowable(f"The hub does not answer for {where}: {error}") from None
    return facts(json.loads(Path(config).read_bytes()), list(_tensors(listed)))


def _missing(where: str, error: errors.EntryNotFoundError) -> str:
    if isinstance(error, errors.LocalEntryNotFoundError):  # the hub's client looked into its own cache in the end
        return f"The hub can't be reached, and nothing of {where} is in its cache here; HF_ENDPOINT names another hub."
    return f"{HUB}{where} has no {CONFIG}, so it is no model that can be served."


def _in_folder(folder: Path) -> Facts:
    if not folder.is_dir():
        raise Mistake(f"{folder} is no folder; name one with {CONFIG} in it, or hf://<organisation>/<name>.")
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_bytes())
    except FileNotFoundError:
        raise Mistake(f"{folder} has no {CONFIG}, so it is no folder of a model.") from None
    try:
        return facts(config, list(_tensors(huggingface_hub.get_local_safetensors_metadata(folder))))
    except FileNotFoundError:  # the index names files that are not here
        return summed(config, _total(folder / INDEX))


def _total(index: Path) -> int:
    total = json.loads(index.read_bytes()).get("metadata", {}).get("total_size")
    if not isinstance(total, int):
        raise Unsupported(f"{index.name} gives no total_size, and the files that it names are not there")
    return total


def _tensors(listed: Any) -> Iterator[Tensor]:
    for file in listed.files_metadata.values():
        for name, tensor in file.tensors.items():
            start, end = tensor.data_offsets
            yield Tensor(name, tensor.dtype, end - start)
