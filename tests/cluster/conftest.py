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
from hack.cluster.steps import silence
from hack.demo import chart, ground, places, preflight
from hack.demo.board import Ledger, shown
from hack.demo.chart import Release
from hack.demo.claim import Destination
from hack.demo.ground import Ground
from hack.demo.kube import Kube
from hack.demo.machine import ROOT, observed
from tests.cluster import evidence, leftovers
from tests.cluster.stage import PART_OF, Stage

RING = ROOT / "tests/cluster"
CLAIM = "models"
FOLDER = "smollm2-135m-instruct"
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


NOBODY = "localhost:1"
"""A registry that nobody serves; a test's model names it."""


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
    release = Release("qwen-operator", own, (serving,), hub=hub, images=(NOBODY,))
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
