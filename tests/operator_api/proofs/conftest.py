"""Where the proofs run: in a process beside pytest's, from which branches grow; and the table at the end."""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

import pytest

from tests.operator_api.proofs.ledger import LEDGER, Ledger

Given = ParamSpec("Given")
Found = TypeVar("Found")


class Beside:
    """A process that runs nothing else, so that it may fork."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, work: Callable[Given, Found], *given: Given.args, **named: Given.kwargs) -> Found:
        """Do it there, and wait."""
        return self._pool.submit(work, *given, **named).result()


@contextlib.contextmanager
def another() -> Iterator[Beside]:
    """A new one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield Beside(pool)


@pytest.fixture(scope="session")
def beside() -> Iterator[Beside]:
    """One for all tests."""
    with another() as process:
        yield process


@pytest.fixture
def ledger() -> Ledger:
    """Where a proof notes what it counted."""
    return LEDGER


class Table:
    """A plug-in of its own: as part of a conftest.py it would not be told of tests outside of this folder."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how each test ends; one that could not begin has failed."""
        if report.failed or (report.when == "call" and report.passed):
            LEDGER.ended(report.nodeid, well=report.passed)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        terminalreporter.section("what the operator promises when things fail: docs/reliability.md")
        for row in LEDGER.rows():
            terminalreporter.write_line(row)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Every test of this run is known, and none has begun."""
    session.config.pluginmanager.register(Table(), "what the operator promises")
