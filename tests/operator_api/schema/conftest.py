"""Both API servers, with our definition and a namespace."""

from collections.abc import Iterator

import pytest

from tests.operator_api.backends import Backend
from tests.operator_api.schema.answers import ApiServer


@pytest.fixture(scope="session")
def api_server(backend: Backend) -> Iterator[ApiServer]:
    with backend.client() as client:
        server = ApiServer(client)
        server.make_namespace("team")
        yield server
