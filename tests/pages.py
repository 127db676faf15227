"""The commands that pages show, each with the mark that says who runs it: what is shown is what works.

A mark is a comment on the line before a block: `<!-- run by tests/… -->`, or `<!-- not run: it needs … -->`.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SHELLS = {"sh", "bash", "console"}
MARK = re.compile(r"<!-- (?:run by (?P<test>\S+)|not run: it needs (?P<need>.+)) -->")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str
    test: str
    """Path of the test that runs it, empty if none does."""
    need: str
    """What it needs that no test has, empty if a test runs it."""


def blocks(page: str) -> list[Block]:
    """The blocks of a page, by its path below the root."""
    lines, found = iter(["", *(ROOT / page).read_text().splitlines()]), []
    before = ""
    for line in lines:
        if line.startswith("```"):
            body = list(iter(lambda: next(lines), "```"))
            mark = MARK.fullmatch(before)
            said = (mark["test"] or "", mark["need"] or "") if mark else ("", "")
            found.append(Block(line[3:], "\n".join(body) + "\n", *said))
        before = line
    return found


def commands(page: str) -> list[Block]:
    """Those that a person is to type."""
    return [block for block in blocks(page) if block.language in SHELLS]


def run_by(page: str, test: str) -> list[str]:
    """What a test has to run of a page, in order.

    :raises AssertionError: nothing, so that a test that lost its blocks fails.
    """
    found = [block.text for block in commands(page) if block.test == test]
    assert found, f"{page} marks nothing as run by {test}"
    return found
