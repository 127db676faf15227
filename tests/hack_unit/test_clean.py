"""What `make clean` ends before it removes folders (hack/clean.py)."""

from pathlib import Path

import pytest

from hack import clean
from hack.cluster import control_plane, lifecycle
from hack.cluster.layout import Layout
from hack.cluster.lock import exclusive
from hack.demo import kind


@pytest.fixture(autouse=True)
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout of its own, in which ending is only written down."""
    told: list[str] = []
    monkeypatch.setattr(clean, "CHECKOUT_LOCK", tmp_path / "lock")
    monkeypatch.setattr(clean, "CONTROL_PLANE", tmp_path / "control-plane")
    monkeypatch.setattr(clean, "cluster_layout", lambda: Layout(tmp_path / "cluster"))
    monkeypatch.setattr(kind, "KUBECONFIG", tmp_path / "kind-kubeconfig")
    monkeypatch.setattr(lifecycle, "down", lambda: told.append("cluster"))
    monkeypatch.setattr(control_plane, "end", lambda folder: told.append(folder.name))
    monkeypatch.setattr(kind, "down", lambda path, _log: told.append(path.name))
    return told


def test_everything_that_runs_out_of_the_checkout_is_ended(tmp_path: Path, ended: list[str]) -> None:
    """Our own cluster, a control plane without nodes, and the one made by kind."""
    for name in ("cluster", "control-plane", "kind-kubeconfig"):
        (tmp_path / name).mkdir()

    assert clean.main() == 0
    assert ended == ["cluster", "control-plane", "kind-kubeconfig"]


def test_where_nothing_was_started_nothing_is_asked_for(ended: list[str]) -> None:
    """Neither root nor kind, for somebody who only ran the tests."""
    assert clean.main() == 0
    assert ended == []


def test_a_demo_under_way_keeps_its_folders(
    tmp_path: Path, ended: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`make` stops at the status, before it removes anything."""
    (tmp_path / "cluster").mkdir()

    with exclusive(tmp_path / "lock", "make demo"):
        assert clean.main() == 1

    assert ended == []
    assert "`make demo` (process " in capsys.readouterr().err
