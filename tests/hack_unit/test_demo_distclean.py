"""What `make distclean` gives back (hack/distclean.py)."""

from pathlib import Path

import pytest

from hack import distclean


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


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    """uv's caches are full of hard links."""
    (tmp_path / "one").write_bytes(b"x" * (1 << 20))
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    assert distclean.size(tmp_path) == 1 << 20
