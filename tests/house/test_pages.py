"""Pages for people name files and folders; what was moved since must be moved there too."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_that_the_architecture_names_is_there() -> None:
    """A reader goes from an idea to a file."""
    page = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`((?:operator|server|hack|tests)/[\w./]+)`", page))

    assert len(named) > 30
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_ring_of_tests_is_named_to_contributors() -> None:
    """Each says what it needs."""
    rings = {folder.parent.name for folder in (ROOT / "tests").glob("*/__init__.py")}

    assert {ring for ring in rings if f"`{ring}`" not in (ROOT / "CONTRIBUTING.md").read_text()} == set()


def test_the_doors_that_contributors_are_told_are_those_of_the_import_contracts() -> None:
    """One door each, in the words of both."""
    contracts = (ROOT / "pyproject.toml").read_text()
    rule = (ROOT / "CONTRIBUTING.md").read_text().partition("**One door each**")[2].partition("\n4.")[0]

    for library, client in (("kopf", "kopf"), ("kubernetes", "the Kubernetes client")):
        (door,) = re.findall(rf'"qwen_operator\.(\w+) -> {library}"', contracts)
        assert f"{client} (`{door}.py`)" in rule
