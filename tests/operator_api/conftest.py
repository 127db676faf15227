"""API servers to test against, and the operator's own client to them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kubernetes.aio.client import Configuration

from hack.cluster import binaries
from hack.cluster.control_plane import ControlPlane
from qwen_operator import crd
from qwen_operator import credentials as finding
from qwen_operator.cluster import Cluster
from qwen_operator.credentials import Credentials
from qwen_operator.observe import Metrics
from qwen_operator.transport import Transport
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.server import Server


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator().serving() as server:
        yield server


@pytest.fixture
async def transport(emulator: Emulator) -> AsyncIterator[Transport]:
    transport = Transport(Credentials(Configuration(host=emulator.url)), Metrics(), lambda: True)
    yield transport
    await transport.close()


@pytest.fixture
def cluster(transport: Transport) -> Cluster:
    return Cluster(transport)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a real API server that knows QwenModels."""
    if not binaries.binaries().built:
        pytest.skip("no real API server: `make cluster` builds its binary")
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        definition = crd.document()
        place = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
        plane.api.apply(place + definition["metadata"]["name"], definition)
        yield plane.kubeconfig


@pytest.fixture
async def emulated(emulator: Emulator, transport: Transport) -> Server:
    """The emulator alone, for what a real server won't do on demand."""
    return Server(Credentials(Configuration(host=emulator.url)), transport, emulator)


@pytest.fixture(params=["emulator", "real"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Both API servers, one after the other."""
    if request.param == "emulator":
        async with Emulator().serving() as emulator:
            found = Credentials(Configuration(host=emulator.url))
            transport = Transport(found, Metrics(), lambda: True)
            yield Server(found, transport, emulator)
            await transport.close()
        return
    found = await finding.find(request.getfixturevalue("control_plane"))
    transport = Transport(found, Metrics(), lambda: True)
    server = Server(found, transport)
    await server.begin()
    yield server
    await transport.close()
