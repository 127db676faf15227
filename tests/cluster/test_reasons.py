"""Trouble as an on-call person sees it: each model here cannot serve, and its conditions say why and what to do.

All of them are applied at once, since most of the time is the kubelet's; each test waits for its own.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hack.cluster.steps import silence
from hack.demo import ground
from hack.demo.claim import Destination, claim
from hack.demo.ground import Ground
from hack.demo.model import condition
from tests.cluster.conftest import CLAIM, FOLDER
from tests.cluster.stage import Marks, Stage

TORN = "torn"
"""A folder whose weights do not fit its config.json."""
GOOD = {"uri": f"pvc://{CLAIM}/{FOLDER}"}
SMALL = {"cpu": "100m"}
"""Six of them have a pod at once; asking for the default of 500m, they would wait for each other on two cores."""
TIGHT = {**SMALL, "memory": "512Mi", "sharedMemory": "64Mi"}


@dataclass(frozen=True)
class Trouble:
    """A spec, the reason that its condition must come to, and words that the sentence must hold."""

    spec: dict[str, Any]
    reason: str
    words: tuple[str, ...]
    kind: str = "Available"
    beside: tuple[dict[str, Any], ...] = field(default=())


def service(name: str) -> dict[str, Any]:
    """Somebody else's Service."""
    spec = {"ports": [{"port": 80}], "selector": {"app": "something-else"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def empty_secret(name: str) -> dict[str, Any]:
    """A Secret of keys from which the last key was revoked."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


TROUBLES: dict[str, Trouble] = {
    "no-claim": Trouble(
        {"device": "CPU", "model": {"uri": "pvc://nowhere/some-model"}},
        "ClaimNotFound",
        ("PersistentVolumeClaim nowhere", "does not exist", "Create it, or correct model.uri."),
        kind="Accepted",
    ),
    "not-yet": Trouble(
        {"model": {"uri": "oci://registry.example/qwen3:8b"}},
        "UnsupportedScheme",
        ("oci://registry.example/qwen3:8b", "pvc://<claim>/<folder>"),
        kind="Accepted",
    ),
    "no-hub": Trouble(
        {"device": "CPU", "model": {"uri": "hf://Qwen/Qwen3-8B"}},
        "SourceUnreachable",
        ("cannot be reached", "egress rules of the weights Job", "tried again by itself"),
        kind="WeightsReady",
    ),
    "taken": Trouble(
        {"device": "CPU", "model": GOOD, "suspend": True},
        "NameTaken",
        ("Service taken exists and does not belong to this model",),
        kind="Applied",
        beside=(service("taken"),),
    ),
    "no-gpu": Trouble(
        {"device": "GPU", "model": GOOD, "resources": {"gpus": 8}},
        "InsufficientGPU",
        ("8 free nvidia.com/gpu", "lower resources.gpus"),
    ),
    "no-image": Trouble(
        {"device": "CPU", "model": GOOD, "resources": SMALL, "server": {"image": "localhost:1/nobody/nothing:1"}},
        "ImagePullFailed",
        ("localhost:1/nobody/nothing:1",),
    ),
    "no-folder": Trouble(
        {"device": "CPU", "model": {"uri": f"pvc://{CLAIM}/not-there"}, "resources": SMALL},
        "ModelPathNotFound",
        (f"pvc://{CLAIM}/not-there", "Correct the folder in model.uri"),
    ),
    "no-key": Trouble(
        {"device": "CPU", "model": GOOD, "resources": SMALL, "auth": {"secretName": "empty-keys"}},
        "NoUsableKey",
        ("Secret empty-keys", "Add an entry"),
        beside=(empty_secret("empty-keys"),),
    ),
    "too-little": Trouble(
        {"device": "CPU", "model": GOOD, "resources": TIGHT},
        "HostOutOfMemory",
        ("limit 512Mi", "Raise resources.memory"),
    ),
    "too-long": Trouble(
        {"device": "CPU", "model": {**GOOD, "contextLength": 1_000_000}, "resources": SMALL},
        "ContextTooLong",
        ("Lower model.contextLength",),
    ),
    "no-engine": Trouble(
        {"device": "CPU", "model": GOOD, "resources": SMALL, "server": {"args": ["--block-size=0"]}},
        "InvalidArgument",
        ("'0' is not a whole number of 1 or more", "Correct server.args"),
    ),
    "torn": Trouble(
        {"device": "CPU", "model": {"uri": f"pvc://{CLAIM}/{TORN}"}, "resources": SMALL},
        "CorruptWeights",
        ("are damaged, or not of one model", "not initialized from checkpoint", "compare their sizes"),
    ),
}
NEIGHBOUR = "neighbour"


def bring_torn_weights(ready: Ground, stage: Stage, folder: Path) -> None:
    """Put the real model, with a layer more in its config than there is, on the claim beside the good one."""
    shutil.copytree(ready.weights, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": config["num_hidden_layers"] + 1}))
    ground.fill_claim(replace(ready, weights=folder), Destination(stage.namespace, CLAIM, TORN), silence)


@pytest.fixture(scope="module", autouse=True)
def before(ready: Ground, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marks]:
    """All of them, with what stands beside them, taken away together; yields the neighbour's marks before them."""
    bring_torn_weights(ready, stage, tmp_path_factory.mktemp("models") / TORN)
    stage.apply(NEIGHBOUR, {"device": "CPU", "model": GOOD, "suspend": True})
    stage.await_reason(NEIGHBOUR, "Ready", "Suspended", seconds=30)
    first = stage.marks(NEIGHBOUR)
    for name, trouble in TROUBLES.items():
        for manifest in trouble.beside:
            manifest["metadata"]["namespace"] = stage.namespace
            stage.kube.apply(manifest)
        stage.apply(name, trouble.spec)
    yield first
    stage.kube.kubectl("delete", "qwenmodels", f"--namespace={stage.namespace}", NEIGHBOUR, *TROUBLES)
    stage.kube.kubectl("delete", "service/taken", "secret/empty-keys", f"--namespace={stage.namespace}")


@pytest.mark.parametrize("name", TROUBLES)
def test_the_condition_names_the_cause_and_the_remedy(stage: Stage, name: str) -> None:
    """One reason that a machine can match, one sentence that a person can act on; Ready gives the same."""
    trouble = TROUBLES[name]

    model = stage.await_reason(name, trouble.kind, trouble.reason, seconds=240)

    found, ready = condition(model, trouble.kind), condition(model, "Ready")
    assert found["status"] == "False"
    assert [words for words in trouble.words if words not in found["message"]] == []
    assert (ready["status"], ready["reason"]) == ("False", trouble.reason)


def test_a_foreign_service_is_left_as_it_is(stage: Stage) -> None:
    """The operator writes only what belongs to its model."""
    stage.await_reason("taken", "Applied", "NameTaken")

    foreign = stage.kube.object("service", "taken", stage.namespace) or {}

    assert foreign["spec"]["selector"] == {"app": "something-else"}
    assert "ownerReferences" not in foreign["metadata"]


def test_a_claim_that_comes_later_is_noticed(stage: Stage) -> None:
    """Creating the claim is enough; nobody has to touch the model."""
    stage.await_reason("no-claim", "Accepted", "ClaimNotFound")

    stage.kube.apply(claim(Destination(stage.namespace, "nowhere", "some-model")))

    model = stage.await_reason("no-claim", "Accepted", "Accepted", seconds=30)
    assert condition(model, "Accepted")["status"] == "True"


def test_a_model_in_trouble_leaves_its_neighbours_alone(stage: Stage, before: Marks) -> None:
    """With all these troubles about, not one write of the operator went to the children of the model that has none."""
    assert stage.condition(NEIGHBOUR, "Ready")["reason"] == "Suspended"
    assert set(before) == {f"Deployment/{NEIGHBOUR}", f"Service/{NEIGHBOUR}"}
    assert stage.marks(NEIGHBOUR) == before
