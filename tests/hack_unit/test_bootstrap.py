"""The first thing that `make` runs on a bare machine (hack/bootstrap.py)."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from hack import bootstrap


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Debian's Python as it is shipped; returns what was installed."""
    installed: list[str] = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap, "install", lambda packages, _log: installed.extend(packages))
    return installed


def test_root_on_debian_gets_what_virtual_environments_need(bare: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's commands must not begin with an error of Python's."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert bootstrap.main() == 0
    assert bare == [bootstrap.PACKAGE]


def test_anybody_else_is_told_the_package(
    bare: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that brings it."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert bootstrap.main() == 1
    assert bare == []
    assert f"apt-get install -y --no-install-recommends {bootstrap.PACKAGE}`" in capsys.readouterr().err


def test_the_environment_of_the_tools_is_made_after_it() -> None:
    """Every other environment is made by the tool in that one."""
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()

    assert "-m hack.bootstrap && $(PYTHON) -m venv .local/uv" in makefile
