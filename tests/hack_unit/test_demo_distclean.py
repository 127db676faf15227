"""What `make distclean` gives back (hack/distclean.py)."""

from pathlib import Path

import pytest

from hack import distclean
from hack.cluster.lock import exclusive


def test_only_this_projects_own_cache_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Caches of tools are named with the command that empties them, and stay."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("GOMODCACHE", raising=False)
    ours, tools = tmp_path / ".cache/qwen-operator", tmp_path / ".cache/uv"
    for folder in (ours, tools):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * (3 << 20))

    assert distclean.main() == 0

    said = capsys.readouterr().out
    assert not ours.exists()
    assert (tools / "file").exists()
    assert f"Removed {ours}: 3 MiB came back." in said
    assert "`uv cache clean` empties it" in said


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This project's cache in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = tmp_path / ".cache/qwen-operator"
    (folder / "images").mkdir(parents=True)
    return folder


def test_nothing_is_removed_while_images_are_built(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The build holds the lock."""
    with exclusive(cache / "images/lock", "make images"):
        assert distclean.main() == 1

    assert "`make images` (process " in capsys.readouterr().err
    assert cache.is_dir()


def test_what_is_mounted_and_in_use_is_named_and_nothing_is_removed(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Instead of a traceback half-way through."""
    monkeypatch.setattr(distclean, "mounts_below", lambda *_: [cache / "images"])  # which is no mount point

    assert distclean.main() == 1

    said = capsys.readouterr().err
    assert f"{cache}/images: " in said
    assert said.endswith("end what uses it, then run this again.\n")
    assert cache.is_dir()


def test_mounts_are_taken_away_from_the_inside_out() -> None:
    """A killed build leaves overlays, and mounts in them; the kernel writes a space as an octal number."""
    lines = ("/", "/a\\040b", "/a\\040b/layers", "/a\\040b/layers/merged/dev", "/a", "/a\\040bc")
    mountinfo = "".join(f"1 2 0:3 / {point} rw - ext4 /dev/x rw\n" for point in lines)

    assert distclean.mounts_below(Path("/a b"), mountinfo) == [
        Path("/a b/layers/merged/dev"),
        Path("/a b/layers"),
        Path("/a b"),
    ]


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    """uv's caches are full of hard links."""
    (tmp_path / "one").write_bytes(b"x" * (1 << 20))
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    assert distclean.size(tmp_path) == 1 << 20
