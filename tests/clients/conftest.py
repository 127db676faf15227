"""Servers that no test changes, so that each is started once."""

from collections.abc import Iterator

import pytest

from tests.clients.calls import TEMPLATES
from tests.clients.servers import ECHO, STRUCTURED, asking_for_the_weather
from tests.server_unit.process import Process, a_process


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Says what it hears."""
    with a_process(tmp_path_factory.mktemp("echo"), **ECHO) as process:
        yield process.ready()


@pytest.fixture(scope="session")
def structured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Says the same JSON each time."""
    with a_process(tmp_path_factory.mktemp("structured"), **STRUCTURED) as process:
        yield process.ready()


@pytest.fixture(scope="session", params=TEMPLATES)
def calling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Calls a tool, and answers with its result."""
    with a_process(tmp_path_factory.mktemp("calling"), **asking_for_the_weather(request.param)) as process:
        yield process.ready()
