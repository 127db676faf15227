"""The object store of the tests: where its program is, and what is said where it cannot be built (hack/gateway)."""

from pathlib import Path

import pytest

from hack.gateway import __main__ as gateway
from hack.gateway import binary


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_other_pinned_modules_are_another_program(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a raised version is built, and a former one stays."""
    before = binary.binary()
    for name in ("go.mod", "go.sum"):
        (own_cache / name).write_bytes((binary.SOURCES / name).read_bytes() + b"\n")
    monkeypatch.setattr(binary, "SOURCES", own_cache)

    assert binary.binary().parent == before.parent == own_cache / "cache/qwen-operator/gateway"
    assert binary.binary() != before


def test_a_program_that_is_there_is_not_built(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Go is not even needed then."""
    monkeypatch.setenv("PATH", "")
    binary.binary().parent.mkdir(parents=True)
    binary.binary().write_text("built")

    assert gateway.main() == 0
    assert capsys.readouterr().out.strip() == str(binary.binary())


def test_without_go_one_sentence_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing half-built is left."""
    monkeypatch.setenv("PATH", "")

    assert gateway.main() == 1
    assert "Go is missing" in capsys.readouterr().err
    assert not binary.binary().exists()
