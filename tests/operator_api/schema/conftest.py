"""The real API server, with our definition and a namespace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operator_api.schema import answers
from tests.operator_api.schema.answers import ApiServer


@pytest.fixture(scope="session")
def api_server(control_plane: Path) -> Iterator[ApiServer]:
    with answers.client(control_plane) as client:
        server = ApiServer(client)
        server.make_namespace("team")
        yield server
