"""R4: each of the twenty-five faults has tests, and they are there."""

import ast
from pathlib import Path

import pytest

from tests.house.faults import FAULTS, Fault
from tests.operator_api.proofs.ledger import LEDGER

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/reliability.md"


def functions(path: Path) -> set[str]:
    """The tests of a module."""
    found = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_has_tests_that_are_there(fault: Fault) -> None:
    """A module as a whole, or a function of it; and the page names the fault."""
    shown = [each.partition("::") for each in fault.shown]
    missing = [path + name for path, _, name in shown if not (TESTS / path).is_file()]
    unknown = [name for path, _, name in shown if name and name not in functions(TESTS / path)]
    LEDGER.count("R4", not missing and not unknown)

    assert missing == unknown == []
    assert fault.shown
    names = ", ".join(f"`{name or path.rpartition('/')[2]}`" for path, _, name in shown)
    assert f"| {fault.what} | {names} |" in PAGE.read_text()


def test_there_are_twenty_five() -> None:
    """As many as were gathered from what befell other operators."""
    assert len({fault.what for fault in FAULTS}) == 25
