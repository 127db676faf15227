"""API servers to test against, and the operator's own client to them."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kubernetes.aio.client import Configuration

from hack.cluster import binaries
from hack.cluster.api import Api, ApiError
from hack.cluster.control_plane import ControlPlane
from qwen_operator import crd
from qwen_operator import credentials as finding
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.credentials import Credentials
from qwen_operator.observe import Metrics
from qwen_operator.transport import Transport
from tests.operator_api.backends import Backend, beside, with_definition
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
        wait_for(plane.api, kinds.QWEN_MODEL.path())
        yield plane.kubeconfig


@pytest.fixture(scope="session", params=["emulator", "real"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Both API servers, one after the other, for tests that talk plain HTTP."""
    if request.param == "real":
        yield Backend(request.getfixturevalue("control_plane"))
        return
    with beside(with_definition()) as emulator:
        yield Backend(kubeconfig_of(emulator, tmp_path_factory.mktemp("emulator")))


def wait_for(api: Api, path: str) -> None:
    """A new kind is served a moment after its definition is stored."""
    deadline = time.monotonic() + 30
    while True:
        try:
            api.get(path)
        except ApiError:
            assert time.monotonic() < deadline, f"{path} is not served"
            time.sleep(0.05)
        else:
            return


@pytest.fixture
async def emulated(emulator: Emulator, transport: Transport, tmp_path: Path) -> Server:
    """The emulator alone, for what a real server won't do on demand."""
    return Server(Credentials(Configuration(host=emulator.url)), transport, emulator, kubeconfig_of(emulator, tmp_path))


def kubeconfig_of(emulator: Emulator, folder: Path) -> Path:
    """A kubeconfig for the emulator, whose context stands in the namespace `team`."""
    context = {"cluster": "emulator", "user": "somebody", "namespace": "team"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "emulator", "cluster": {"server": emulator.url}}],
        "users": [{"name": "somebody", "user": {}}],
        "contexts": [{"name": "here", "context": context}],
        "current-context": "here",
    }
    path = folder / "kubeconfig.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(params=["emulator", "real"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """Both API servers, one after the other."""
    if request.param == "emulator":
        async with Emulator().serving() as emulator:
            found = Credentials(Configuration(host=emulator.url))
            transport = Transport(found, Metrics(), lambda: True)
            yield Server(found, transport, emulator, kubeconfig_of(emulator, tmp_path))
            await transport.close()
        return
    kubeconfig = request.getfixturevalue("control_plane")
    found = await finding.find(kubeconfig)
    transport = Transport(found, Metrics(), lambda: True)
    server = Server(found, transport, kubeconfig=kubeconfig)
    await server.begin()
    yield server
    await transport.close()
