"""Whatever lies in a folder that somebody else has filled, a look at it ends soon, in words."""

import json
import os
import struct
from pathlib import Path

import pytest

from qwen_server.weights.marker import MARKER, Manifest
from qwen_server.weights.reading import LONGEST
from qwen_server.weights.tensors import LONGEST_HEADER
from tests.weights_unit.fetching import command, run_here
from tests.weights_unit.models import CONFIG, model, wanted

FILES = model(shards=1)
INDEX = "model.safetensors.index.json"
[SHARD] = (name for name in FILES if name.endswith("of-00001.safetensors"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole model."""
    for name, data in wanted(FILES).items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def padded(document: bytes, length: int) -> bytes:
    """JSON of the same meaning and so many bytes; safetensors itself ends a header with spaces."""
    return document + b" " * (length - len(document))


@pytest.mark.parametrize("name", ["config.json", MARKER, SHARD])
def test_nobody_waits_at_a_pipe(folder: Path, name: str) -> None:
    """To open one is to wait for whoever writes into it."""
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)

    assert run_here(command("describe", folder)).reason in ("ModelInvalid", "NotVerified")


@pytest.mark.parametrize("name", ["config.json", INDEX, MARKER])
def test_a_small_file_without_end_is_read_up_to_a_limit(folder: Path, name: str) -> None:
    """It says what it should, and is as long as none of its kind."""
    (folder / MARKER).write_bytes(Manifest("hf://a/b", "c").document())
    (folder / name).write_bytes(padded((folder / name).read_bytes(), LONGEST + 1))

    assert run_here(command("describe", folder)).reason in ("ModelInvalid", "NotVerified")


@pytest.mark.parametrize(("length", "reason"), [(LONGEST_HEADER, None), (LONGEST_HEADER + 1, "ModelInvalid")])
def test_a_header_is_read_up_to_the_limit_of_the_format(folder: Path, length: int, reason: str | None) -> None:
    """One of 100 MB is a header; a longer one no library of the format would read."""
    (folder / INDEX).unlink()
    (folder / SHARD).write_bytes(struct.pack("<Q", length) + padded(b"{}", length))

    ended = run_here(command("describe", folder))

    assert (ended.told.get("reason"), ended.status) == (reason, 78 if reason else 0)


def test_an_index_that_names_something_else_is_told_in_one_line(folder: Path) -> None:
    """Whatever a name holds."""
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": "no\nsuch\r\nfile"}}))

    ended = run_here(command("describe", folder))

    assert ended.reason == "ModelInvalid"
    assert len(ended.output.splitlines()) == 1


def test_facts_of_any_length_leave_a_message_that_the_kubelet_keeps(folder: Path) -> None:
    """What does not fit is left out; the sizes are told."""
    (folder / "config.json").write_text(json.dumps(CONFIG | {"architectures": ["x" * 100_000]}))

    told = run_here(command("describe", folder)).told

    assert (told["files"], told["config"], told["tensors"]) == (1, {}, [])
