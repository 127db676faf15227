"""What the ring stands on: one cluster with images and weights for the session, brought up by the demo's own steps.

A running demo is left alone: the ring works in namespaces and releases of its own, with unique names.
"""

import os
import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from hack.cluster.errors import ClusterError
from hack.cluster.layout import CHECKOUT_LOCK
from hack.cluster.lock import exclusive
from hack.cluster.network import HOST, HUB_PORT, STORE_PORT
from hack.cluster.steps import silence
from hack.demo import chart, ground, places, preflight
from hack.demo.board import Ledger, shown
from hack.demo.chart import Release
from hack.demo.claim import Destination
from hack.demo.ground import Ground
from hack.demo.kube import Kube
from hack.demo.machine import ROOT, observed
from hack.weights.__main__ import default_folder
from tests.cluster import evidence, leftovers
from tests.cluster.paris import NAME, edit_keys
from tests.cluster.stage import PART_OF, Stage, eventually
from tests.cluster.surroundings import OTHERS
from tests.weights_unit.hub_server import Hub, a_hub_on

RING = ROOT / "tests/cluster"
CLAIM = "models"
FOLDER = "smollm2-135m-instruct"
BROKEN_AFTER = 20_000_000
"""Bytes of the weights after which the hub's line breaks, in each of the first requests."""
OWN_CLUSTER = pytest.mark.skipif(
    bool(os.environ.get("CONTEXT")), reason="the pods of that cluster may not reach a hub here"
)
SECONDS_A_TEST = 600
SECONDS_FROM_NOTHING = 2400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder needs a cluster; the first test may wait for all of it to be built."""
    ring = [item for item in items if item.path.is_relative_to(RING)]
    for index, item in enumerate(ring):
        item.add_marker(pytest.mark.cluster)
        item.add_marker(pytest.mark.timeout(SECONDS_FROM_NOTHING if index == 0 else SECONDS_A_TEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect evidence while the failed test's objects still stand, and say where it is."""
    report = yield
    stages = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Stage)]
    if report.failed and report.when != "teardown":
        for stage in stages:
            report.sections.append(("Evidence", f"collected in {evidence.collect(stage, item.name)}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured on the way, and where the evidence of failures lies."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()) if report.when == "call" else ():
            terminalreporter.write_line(f"measured: {name}: {value}")
    if evidence.collected():
        terminalreporter.write_line(f"Evidence of what failed: {evidence.FOLDER}")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Cluster, images and weights; what is there is used as it is, but for what a killed run of the ring left."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(CHECKOUT_LOCK, "make e2e"))
        except ClusterError as refused:
            pytest.exit(str(refused), returncode=1)
        evidence.forget()
        plan = preflight.plan(os.environ.get("CONTEXT"), os.environ.get("REGISTRY"), before=time.time())
        place = places.place(observed(), plan, evidence.FOLDER)
        with capture.global_and_fixture_disabled(), shown(Ledger()) as report:
            made = ground.prepare(place, report)
        leftovers.sweep(made.kube)
        yield made


@pytest.fixture(scope="session")
def ready(cluster: Ground) -> Iterator[Ground]:
    """The cluster with today's CRD on it; who brings it takes it away, so it goes if nobody had it before."""
    there = cluster.kube.object("customresourcedefinition", chart.CRD, "default")
    if there:
        cluster.kube.kubectl(
            "apply", "--server-side", "--force-conflicts", f"--filename={chart.CHART}/generated/crd.yaml"
        )
    yield cluster
    if not there:
        cluster.kube.delete("customresourcedefinition", chart.CRD, "default")


@contextmanager
def standing(cluster: Ground, hub: str = "") -> Iterator[Stage]:
    """A namespace and a release that serves it, for as long as the block runs; nothing is left of either.

    :param hub: base URL of a hub to fetch weights from.
    """
    suffix = secrets.token_hex(3)
    serving, own = f"qwen-e2e-{suffix}", f"qwen-e2e-{suffix}-operator"
    registry = cluster.images.server_cpu.rpartition("/")[0]
    release = Release("qwen-operator", own, (serving,), hub=hub, images=(registry, *OTHERS))
    with ExitStack() as undo:
        undo.callback(cluster.kube.kubectl, "delete", "namespace", serving, own, "--ignore-not-found", seconds=180)
        for namespace in (serving, own):
            cluster.kube.kubectl("create", "namespace", namespace)
            cluster.kube.kubectl("label", "namespace", namespace, PART_OF)
        undo.callback(chart.uninstall, cluster.kube, release)
        undo.callback(delete_models, cluster.kube, serving)
        chart.install(cluster.kube, release, cluster.images)
        yield Stage(cluster.kube, cluster.images, release, serving)


def delete_models(kube: Kube, namespace: str) -> None:
    """Delete every model of a namespace; none can be there before the CRD is."""
    if kube.object("customresourcedefinition", chart.CRD, namespace):
        kube.kubectl("delete", "qwenmodels", "--all", f"--namespace={namespace}")


@pytest.fixture
def empty_stage(ready: Ground) -> Iterator[Stage]:
    """A namespace with an operator of its own, for tests that take the operator away."""
    with standing(ready) as stage:
        yield stage


@pytest.fixture(scope="session")
def stage(ready: Ground) -> Iterator[Stage]:
    """The ring's shared namespace: an operator that serves it, and the weights on its claim."""
    with standing(ready) as stage:
        to = Destination(stage.namespace, CLAIM, FOLDER)
        ground.fill_claim(ready, to, silence)
        yield stage


@pytest.fixture(scope="session")
def hub(ready: Ground) -> Iterator[Hub]:
    """A hub that has the demo's model, which is there once the cluster is, and breaks off in the middle of it.

    A real server with the paths, headers and errors of the Hugging Face hub, at which the ring's own cluster sees this
    machine.
    """
    del ready
    files = {path.name: path.read_bytes() for path in default_folder(os.environ).iterdir() if path.is_file()}
    with a_hub_on((str(HOST), HUB_PORT), (str(HOST), STORE_PORT), Hub(files)) as hub:
        hub.faults.cuts["model.safetensors"] = [BROKEN_AFTER] * 4  # those that measure ask for less
        yield hub


@pytest.fixture(scope="session")
def hub_stage(ready: Ground, hub: Hub) -> Iterator[Stage]:
    """A namespace whose operator fetches from that hub."""
    with standing(ready, hub=hub.url) as stage:
        yield stage


@pytest.fixture(scope="session")
def paris(stage: Stage) -> Iterator[None]:
    """The model that serves, applied and Ready, with a second key beside the generated one."""
    stage.apply(NAME, {"device": "CPU", "model": {"uri": f"pvc://{CLAIM}/{FOLDER}", "dtype": "Float32"}})
    eventually(lambda: stage.kube.object("secret", f"{NAME}-api-keys", stage.namespace), "the key Secret", 30)
    edit_keys(stage, {"second": "the-second-key"})
    stage.await_ready(NAME)
    yield
    stage.delete(NAME)
