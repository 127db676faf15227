"""A model's folder is judged before anything is loaded, whatever lies in it."""

import json
import struct
from pathlib import Path

import pytest

from qwen_server.engine import model_folder
from qwen_server.engine.base import EngineStartFailed
from qwen_server.termination import Reason

LFS_POINTER = b"""version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def safetensors(file: Path, tensors: bytes, *, claimed: int) -> None:
    """A file whose header claims so many bytes of tensors."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [claimed], "data_offsets": [0, claimed]}}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + tensors)


def test_a_model_folder_is_judged_before_anything_is_loaded(tmp_path: Path) -> None:
    """No folder, no config, a broken config, no weights, weights cut off, and at last a model of 100 bytes."""

    def reason() -> Reason:
        with pytest.raises(EngineStartFailed) as caught:
            model_folder.check(folder)
        assert str(folder) in str(caught.value)
        return caught.value.reason

    folder = tmp_path / "model"
    assert reason() is Reason.MODEL_PATH_NOT_FOUND
    folder.mkdir()
    assert reason() is Reason.MODEL_INVALID
    (folder / "config.json").write_text("{")
    assert reason() is Reason.MODEL_INVALID
    (folder / "config.json").write_text("{}")
    assert reason() is Reason.MODEL_INVALID
    safetensors(folder / "model.safetensors", b"x" * 60, claimed=100)
    assert reason() is Reason.MODEL_INVALID
    safetensors(folder / "model.safetensors", b"x" * 100, claimed=100)
    model_folder.check(folder)
    assert model_folder.weight_bytes(folder) == 100


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    """The index says what must be there."""
    (tmp_path / "config.json").write_text("{}")
    safetensors(tmp_path / "one.safetensors", b"x", claimed=1)
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(EngineStartFailed, match=r"two\.safetensors is missing or incomplete"):
        model_folder.check(tmp_path)


def a_model(folder: Path, name: str, content: bytes) -> Path:
    """A folder with a configuration and one more file."""
    (folder / "config.json").write_text("{}")
    (folder / name).write_bytes(content)
    return folder


def test_a_pointer_of_git_lfs_is_told_from_a_broken_file(tmp_path: Path) -> None:
    """Another remedy helps."""
    with pytest.raises(
        EngineStartFailed, match=r"model\.safetensors is a pointer of Git LFS .* `git lfs pull`"
    ) as caught:
        model_folder.check(a_model(tmp_path, "model.safetensors", LFS_POINTER))
    assert caught.value.reason is Reason.MODEL_INVALID


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 1) + b"5",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 20) + b'{"w": {"data_offsets"',
        struct.pack("<Q", 30) + b'{"w": {"data_offsets": [0, 1e999]}}'[:30],
        struct.pack("<Q", 35) + b'{"w": {"data_offsets": [0, 1e999]}}',
        struct.pack("<Q", 35) + b'{"w": {"data_offsets": [0, "many"]}',
        struct.pack("<Q", 100_000) + b"[" * 100_000,
    ],
)
def test_a_file_that_holds_no_tensors_is_named(tmp_path: Path, content: bytes) -> None:
    """A copy that broke off, anything else."""
    with pytest.raises(EngineStartFailed, match=r"model\.safetensors is missing or incomplete") as caught:
        model_folder.check(a_model(tmp_path, "model.safetensors", content))

    assert caught.value.reason is Reason.MODEL_INVALID


@pytest.mark.parametrize(
    "index",
    [
        [],
        {},
        5,
        None,
        {"weight_map": []},
        {"weight_map": {"a": 5}},
        {"weight_map": {"a": "one.safetensors", "b": 5}},
        {"weight_map": {"a": []}},
        {"weight_map": {"a": None}},
    ],
)
def test_an_index_that_names_no_files_is_named(tmp_path: Path, index: object) -> None:
    """Even beside weights that are whole."""
    safetensors(tmp_path / "one.safetensors", b"x", claimed=1)
    with pytest.raises(EngineStartFailed, match=r"model\.safetensors\.index\.json is missing or incomplete") as caught:
        model_folder.check(a_model(tmp_path, "model.safetensors.index.json", json.dumps(index).encode()))

    assert caught.value.reason is Reason.MODEL_INVALID
    assert model_folder.weight_bytes(tmp_path) is None


def test_a_configuration_that_is_no_object_is_named(tmp_path: Path) -> None:
    """It is JSON, but describes no model."""
    safetensors(tmp_path / "model.safetensors", b"x", claimed=1)
    with pytest.raises(EngineStartFailed, match=r"config\.json is no JSON object"):
        model_folder.check(a_model(tmp_path, "config.json", b"[]"))
