"""A source is measured: the facts of a fetch, without the fetch."""

import struct
from pathlib import Path

import pytest

from tests.weights_unit.fetching import SOURCE, Ended, command, fetch, run_here
from tests.weights_unit.hub_server import Hub, a_hub
from tests.weights_unit.models import Files, model, wanted


def measured(folder: Path, hub: Hub, *flags: object) -> Ended:
    """Measure a hub's repository, to the end."""
    words = ("--termination-log", folder / "words", "--endpoint", hub.url, *flags)
    return run_here(command("measure", SOURCE, *words))


def test_it_tells_what_a_fetch_would_tell(tmp_path: Path) -> None:
    """To the byte."""
    with a_hub(model(shards=3, size=300_000)) as hub:
        before = measured(tmp_path, hub)
        after = fetch(tmp_path / "m", hub=hub)

    assert (before.status, before.words) == (0, after.words)


def test_nothing_is_fetched_but_what_describes(tmp_path: Path) -> None:
    """The tensors of 60 MB stay where they are, and nothing is written."""
    files = model(shards=2, size=30_000_000)
    with a_hub(files) as hub:
        ended = measured(tmp_path, hub)
        sent = hub.total()

    assert ended.told["bytes"] == sum(map(len, wanted(files).values()))
    assert sent < 100_000
    assert [path.name for path in tmp_path.iterdir()] == []


def spoilt(name: str, data: bytes) -> Files:
    """A model of which one file is something else."""
    return {**model(), name: data}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (spoilt("config.json", b"[]"), "config.json is no JSON object"),
        (spoilt("model-00001-of-00003.safetensors", b"x"), "is no safetensors file"),
        (spoilt("model-00001-of-00003.safetensors", struct.pack("<Q", 2**40) + b"{}"), "is no safetensors file"),
        (spoilt("model-00001-of-00003.safetensors", struct.pack("<Q", 2) + b"[]"), "is no safetensors file"),
    ],
)
def test_what_is_no_model_is_told(tmp_path: Path, files: Files, why: str) -> None:
    """Before anybody makes a claim for it."""
    with a_hub(files) as hub:
        ended = measured(tmp_path, hub)

    assert (ended.status, ended.reason) == (78, "ModelInvalid")
    assert why in ended.told["message"]


def test_a_folder_can_not_be_measured(tmp_path: Path) -> None:
    """It can be described."""
    ended = run_here(command("measure", "pvc://models/qwen3", "--termination-log", tmp_path / "words"))

    assert (ended.status, ended.reason) == (78, "InvalidArgument")
    assert "describe" in ended.told["message"]
