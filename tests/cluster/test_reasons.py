"""Trouble as an on-call person sees it: each model here cannot serve, and its conditions say why and what to do.

All of them are applied at once, since most of the time is the kubelet's; each test waits for its own. What fetching
weights can run into is in test_sources.py.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hack.cluster.steps import silence
from hack.demo import ground
from hack.demo.claim import Destination
from hack.demo.claim import claim as a_model_claim
from hack.demo.ground import Ground
from hack.demo.kube import Kube
from tests.cluster import surroundings
from tests.cluster.catalogue import CLOSED, GOOD, OURS, TORN, TROUBLES
from tests.cluster.conftest import CLAIM
from tests.cluster.plugin import typed, why
from tests.cluster.stage import Marks, Stage, eventually
from tests.cluster.surroundings import GPU_PRODUCT, a_gpu_node
from tests.cluster.troubles import is_told

NEIGHBOUR = "neighbour"
LOOKED_AT_AGAIN = frozenset({"no-claim", "no-key", "taken"})


def bring_torn_weights(ready: Ground, stage: Stage, folder: Path) -> None:
    """Put broken models on the claim beside the good one.

    The real one with a layer more in its config than there is; in a folder of it, a config without weights, and one
    whose quantization nobody knows.
    """
    shutil.copytree(ready.weights, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": config["num_hidden_layers"] + 1}))
    (folder / "half").mkdir()
    (folder / "half/config.json").write_text(json.dumps(config))
    shutil.copytree(ready.weights, folder / "strange", ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "strange/config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "exl2"}}))
    (folder / "strange/model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    ground.fill_claim(replace(ready, weights=folder), Destination(stage.namespace, CLAIM, TORN), silence)


def placed(value: Any, stage: Stage) -> Any:
    """A spec or manifest with the stage's own names in it."""
    registry = stage.images.server_cpu.rpartition("/")[0]
    text = json.dumps(value).replace("{namespace}", stage.namespace).replace("{registry}", registry)
    text = text.replace("{server}", stage.images.server_cpu)
    return json.loads(text)


def make_surroundings(kube: Kube, stage: Stage) -> None:
    """Volumes of this stage alone, and the pods that are there before any model."""
    space = stage.namespace
    mode = "ReadWriteOncePod"
    kube.apply(
        surroundings.volume(f"{space}-elsewhere", "elsewhere", space, host="elsewhere"),
        surroundings.volume(f"{space}-single", "single", space, mode=mode),
        *({**it, "metadata": {**it["metadata"], "namespace": space}} for it in placed(beside(), stage)),
        surroundings.holder("holder", "single", space, stage.images),
        *([surroundings.gatekeeper(space, stage.images)] if OURS else []),
    )
    kube.kubectl("delete", "pvc", "leaving", f"--namespace={space}", "--wait=false")
    kube.kubectl("wait", "--for=condition=PodScheduled", "pod/holder", f"--namespace={space}", "--timeout=60s")


def beside() -> list[dict[str, Any]]:
    """Each object once, whichever models it stands beside."""
    every = [manifest for trouble in TROUBLES.values() for manifest in trouble.beside]
    return list({(it["kind"], it["metadata"]["name"]): it for it in every}.values())


def take_away(kube: Kube, stage: Stage) -> None:
    """What the namespace would not take with it, or would wait for."""
    where = f"--namespace={stage.namespace}"
    kube.kubectl("delete", "qwenmodels", where, NEIGHBOUR, *TROUBLES, "--ignore-not-found")
    release = f"--patch={json.dumps({'metadata': {'finalizers': None}})}"
    kube.kubectl("patch", "pvc", "leaving", where, "--type=merge", release, accept=(0, 1))
    kube.kubectl("delete", "service/taken", "secret/empty-keys", "resourcequota/team", where)
    kube.kubectl("delete", "pod", "--ignore-not-found", "holder", "private-registry", where)
    volumes = (f"{stage.namespace}-elsewhere", f"{stage.namespace}-single")
    kube.kubectl("delete", "pvc", "elsewhere", "single", "homeless", "lost", where)
    kube.kubectl("delete", "pv", *volumes)


@pytest.fixture(scope="module", autouse=True)
def before(ready: Ground, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marks]:
    """All of them, with what stands beside them, taken away together; yields the neighbour's marks before them."""
    bring_torn_weights(ready, stage, tmp_path_factory.mktemp("models") / TORN)
    stage.apply(NEIGHBOUR, {"device": "CPU", "model": GOOD, "suspend": True})
    stage.await_reason(NEIGHBOUR, "Ready", "Suspended", seconds=30)
    first = stage.marks(NEIGHBOUR)
    make_surroundings(stage.kube, stage)
    stage.kube.apply(*(stage.manifest(name, placed(trouble.spec, stage)) for name, trouble in TROUBLES.items()))
    yield first
    take_away(stage.kube, stage)


@pytest.mark.parametrize("name", TROUBLES)
def test_the_cause_and_the_remedy_are_named(stage: Stage, name: str) -> None:
    """One reason that a machine can match, one sentence that a person can act on, and what to type."""
    is_told(stage, name, TROUBLES[name])

    if name not in LOOKED_AT_AGAIN:  # what crashes in a loop takes the time of those that come after it
        stage.kube.kubectl("delete", "qwenmodel", name, f"--namespace={stage.namespace}", "--wait=false")


def test_a_foreign_service_is_left_as_it_is(stage: Stage) -> None:
    """The operator writes only what belongs to its model."""
    stage.await_reason("taken", "Applied", "NameTaken")

    foreign = stage.kube.object("service", "taken", stage.namespace) or {}

    assert foreign["spec"]["selector"] == {"app": "something-else"}
    assert "ownerReferences" not in foreign["metadata"]


def test_a_claim_that_comes_later_is_noticed(stage: Stage) -> None:
    """Creating the claim is enough; nobody has to touch the model."""
    stage.await_reason("no-claim", "Accepted", "ClaimNotFound")

    stage.kube.apply(a_model_claim(Destination(stage.namespace, "nowhere", "some-model")))

    stage.await_reason("no-claim", "Accepted", "Accepted", seconds=30)
    assert stage.condition("no-claim", "Accepted")["status"] == "True"


def test_the_remedy_that_is_printed_mends_it(stage: Stage) -> None:
    """A model without a key gets one by the command that `why` prints, and goes on to load."""
    (command,) = why(stage, "no-key")["commands"]

    done = typed(stage, command)

    assert done.returncode == 0, done.stderr
    where = f"--namespace={stage.namespace}"
    stage.kube.kubectl("delete", "pods", where, "--selector=app.kubernetes.io/instance=no-key")  # instead of waiting
    eventually(lambda: stage.condition("no-key", "Available")["reason"] == "Starting", "the key is found", 60)


@pytest.mark.skipif(not OURS, reason="nobody else's nodes are meddled with")
@pytest.mark.parametrize("name", CLOSED)
def test_a_node_that_takes_no_pod_is_told_for_as_long_as_that(stage: Stage, name: str) -> None:
    """And the pod is given to the node afterwards, with nothing to type."""
    closed = CLOSED[name]
    stage.kube.kubectl(*closed.shut)
    try:
        stage.apply(name, closed.trouble.spec)
        is_told(stage, name, closed.trouble, seconds=60)
    finally:
        stage.kube.kubectl(*closed.opened)
    try:
        eventually(lambda: stage.condition(name, "Available")["reason"] != closed.trouble.reason, "it has a node", 60)
    finally:
        stage.delete(name)


def test_gpus_of_a_node_are_counted_and_a_product_that_is_not_there_is_told(stage: Stage) -> None:
    """A node with four H200: eight are too many, a B200 is none of them, and four are given to it.

    No replica waits for a look at the files, which no kubelet of that node would run.
    """
    asked = {"gpus": 4, "gpuProduct": GPU_PRODUCT}
    four: dict[str, Any] = {"model": GOOD, "resources": asked, "validation": {"fit": "Warn"}}
    with a_gpu_node(stage.kube, stage.namespace, 4):
        stage.apply("eight", {**four, "resources": {**four["resources"], "gpus": 8}})
        stage.apply("newer", {**four, "resources": {**four["resources"], "gpuProduct": "NVIDIA-B200"}})
        try:
            stage.await_reason("eight", "Available", "InsufficientGPU", seconds=20)
            stage.await_reason("newer", "Available", "NoNodeMatches", seconds=20)
            shown = typed(stage, why(stage, "eight")["commands"][0]).stdout
            assert {GPU_PRODUCT, "4"} <= set(shown.split())
            stage.apply("eight", four)
            stage.await_reason("eight", "Available", "PreparingPod", seconds=20)
        finally:
            stage.kube.kubectl("delete", "qwenmodels", "eight", "newer", f"--namespace={stage.namespace}")


def test_a_model_in_trouble_leaves_its_neighbours_alone(stage: Stage, before: Marks) -> None:
    """With all these troubles about, not one write of the operator went to the children of the model that has none."""
    assert stage.condition(NEIGHBOUR, "Ready")["reason"] == "Suspended"
    assert set(before) == {f"Deployment/{NEIGHBOUR}", f"Service/{NEIGHBOUR}"}
    assert stage.marks(NEIGHBOUR) == before
