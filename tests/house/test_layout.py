"""The tree explains the design only as long as it keeps its own rules (docs/architecture.md, "Rules of the tree")."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("operator/**/*.py"), *ROOT.glob("server/**/*.py"), *ROOT.glob("hack/**/*.py")])
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "misc", "manager", "util", "helper"}


def tracked_files() -> list[Path]:
    """Every file that git knows, or nothing outside of a checkout."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def relative(path: Path) -> str:
    """A test's name: the path below the root."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("folder", ["operator", "server"])
def test_a_top_folder_holds_one_package_and_no_file(folder: str) -> None:
    """`operator` is a standard-library module too: a file in that folder would shadow it."""
    entries = sorted(entry.name for entry in (ROOT / folder).iterdir() if entry.name != "__pycache__")

    assert entries == [f"qwen_{folder}"]


def test_the_standard_library_keeps_its_operator_module() -> None:
    """A child interpreter started at the root imports the real `operator`."""
    code = "import operator, sysconfig; print(operator.__file__.startswith(sysconfig.get_path('stdlib')))"

    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert child.stdout.strip() == "True"


def test_no_folder_of_tests_is_called_like_a_top_folder() -> None:
    """pytest puts the root in front of the import path, so `tests/operator` would be ambiguous."""
    assert not {"operator", "server"} & {entry.name for entry in (ROOT / "tests").iterdir()}


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_has_a_name_that_says_something_and_a_reason_to_exist(path: Path) -> None:
    """Its name is a concept, and its docstring says why it exists."""
    assert path.stem not in NAMES_THAT_SAY_NOTHING
    assert ast.get_docstring(ast.parse(path.read_text())), f"{relative(path)} opens without a docstring"


TABLES = {"operator/qwen_operator/core/problems.py"}
"""Looked up by name, never read from top to bottom: one list in one place, however long."""


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "hack" not in path.parts and relative(path) not in TABLES], ids=relative
)
def test_a_module_fits_in_the_readers_head(path: Path) -> None:
    """Aim for 200 lines; 300 is where a file must be split."""
    assert len(path.read_text().splitlines()) <= 300


def test_pins_hold_no_address() -> None:
    """A requirement file names version and hash, never the place it came from or the machine it was made on."""
    pins = sorted((ROOT / "requirements").glob("*.txt"))

    assert pins
    place = re.compile(r"https?://|--(extra-)?index-url|--find-links|\s/\w")
    assert [pin.name for pin in pins if place.search(pin.read_text())] == []


def test_no_tracked_file_holds_a_secret() -> None:
    """No private key and no real-looking API key is ever committed."""
    secret = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk-[A-Za-z0-9_-]{32,}|\bhf_[A-Za-z0-9]{30,}")

    assert [relative(path) for path in tracked_files() if secret.search(path.read_bytes())] == []
