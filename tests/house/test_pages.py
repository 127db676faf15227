"""Pages for people name files and folders; what was moved since must be moved there too."""

import re
from pathlib import Path

import pytest

from qwen_operator.cli import remedies
from tests.cluster.catalogue import PROVOKED
from tests.pages import Block, commands

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


GENERATED = {"docs/reference.md", "docs/metrics.md", "docs/troubleshooting.md"}
"""Made from tables that have tests of their own."""
PAGES = sorted(
    {
        "README.md",
        "charts/qwen-operator/README.md",
        *(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")),
    }
    - GENERATED
)
NEEDS = {"a GPU", "a registry", "a cluster to lose", "a machine of its own", "aider", "crush"}
"""What no test has; whoever writes a command that needs nothing of these writes its test."""
TYPED = [pytest.param(page, block, id=f"{page}-{block.text[:40]}") for page in PAGES for block in commands(page)]


@pytest.mark.parametrize(("page", "block"), TYPED)
def test_every_command_that_is_shown_is_run_or_says_what_it_needs(page: str, block: Block) -> None:
    """By a test that names the page, or by nobody for a reason that is known."""
    assert block.test or block.need, f"{page} has a block without a mark (tests/pages.py)"
    if block.need:
        assert block.need in NEEDS
    else:
        names_the_page = Path(page).name in (ROOT / block.test).read_text()
        assert names_the_page or block.test in RUNS_WHAT_IT_IS_HANDED


RUNS_WHAT_IT_IS_HANDED = {".ci/run", "tests/clients/test_page.py", "tests/clients/test_qwen_code.py"}
"""Written before there was such a mark: they find their page through a module beside them, or type it anew."""


def test_the_remedies_that_look_are_typed_on_a_real_cluster() -> None:
    """Each of a reason that is provoked there; what changes something is in the tests that want the change."""
    typed = {each for reason, each_of in remedies.COMMANDS.items() if reason in PROVOKED for each in each_of}
    shown = {each for each_of in remedies.COMMANDS.values() for each in each_of}

    assert len(PROVOKED) >= 20
    untyped = {remedies.SHORTER, remedies.MORE_GPUS, remedies.BUNDLE, remedies.OPERATOR, remedies.DELETE_PODS}
    assert shown - typed <= untyped


LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
EVERY_PAGE = sorted({*PAGES, *GENERATED, "CONTRIBUTING.md", "CHANGELOG.md"})


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    """To a file or folder that is there, and to a heading in it."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    for path, heading in LINK.findall(text):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        assert not heading or heading in headings(target), f"{path}#{heading}"


def headings(page: Path) -> set[str]:
    """Of a page, as an address names them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
