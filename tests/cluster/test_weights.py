"""Weights from a hub to an answer: measured, claimed, fetched over a broken line, verified, served, and kept.

The hub is a real server with the paths, headers and errors of the Hugging Face hub, on the address at which the ring's
own cluster sees this machine; on another cluster these tests are skipped, since its pods may not reach it.
"""

import os
from collections.abc import Iterator

import pytest

from hack.cluster.network import HOST, HUB_PORT, STORE_PORT
from hack.demo.ground import Ground
from hack.weights import smollm2
from hack.weights.__main__ import default_folder
from tests.cluster.conftest import standing
from tests.cluster.stage import Stage, eventually
from tests.weights_unit.hub_server import REPOSITORY, Hub, a_hub_on

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CONTEXT")), reason="the pods of that cluster may not reach a hub here"
)

NAME = "hubbed"
SPEC = {"device": "CPU", "model": {"uri": f"hf://{REPOSITORY}", "dtype": "Float32"}}
BROKEN_AFTER = 20_000_000
"""Bytes of the weights after which the line breaks, in each of the first requests."""


@pytest.fixture(scope="module")
def hub(ready: Ground) -> Iterator[Hub]:
    """A hub that has the demo's model, which is there once the cluster is, and breaks off in the middle of it."""
    del ready
    files = {path.name: path.read_bytes() for path in default_folder(os.environ).iterdir() if path.is_file()}
    with a_hub_on((str(HOST), HUB_PORT), (str(HOST), STORE_PORT), Hub(files)) as hub:
        hub.faults.cuts["model.safetensors"] = [BROKEN_AFTER] * 4  # those that measure ask for less
        yield hub


@pytest.fixture(scope="module")
def hub_stage(ready: Ground, hub: Hub) -> Iterator[Stage]:
    """A namespace whose operator fetches from it."""
    with standing(ready, hub=hub.url) as stage:
        yield stage


def test_a_model_of_a_hub_is_fetched_over_a_broken_line_and_answers(hub_stage: Stage, hub: Hub) -> None:
    """The user names the model and nothing else; no byte that arrived is sent again."""
    hub_stage.apply(NAME, SPEC)
    hub_stage.await_reason(NAME, "WeightsReady", "WeightsVerified", seconds=300)
    hub_stage.await_ready(NAME)

    with hub_stage.client(NAME) as client:
        said = client.chat.completions.create(
            model=NAME, messages=[{"role": "user", "content": smollm2.QUESTION}], max_tokens=20, temperature=0
        )
    assert smollm2.ANSWER in (said.choices[0].message.content or "")
    weights = (hub_stage.model(NAME) or {})["status"]["weights"]
    assert weights["commit"] == hub.commit
    assert len(hub.served["model.safetensors"]) >= 2
    resumed = [begin for begin in hub.served["model.safetensors"] if begin]
    assert resumed
    assert hub.sent["model.safetensors"] < len(hub.files["model.safetensors"]) + BROKEN_AFTER


def test_the_status_has_kept_how_long_the_start_took(hub_stage: Stage) -> None:
    """Node, image and volumes, engine."""
    timings = (hub_stage.model(NAME) or {})["status"]["timings"]

    assert timings["engineStart"] > 0
    assert timings["total"] >= timings["engineStart"]


def test_weights_outlive_their_model_and_are_not_fetched_again(hub_stage: Stage, hub: Hub) -> None:
    """The claim is kept, and a new model of the same name takes it over."""
    hub_stage.delete(NAME)
    eventually(lambda: not hub_stage.pods(NAME), "the pods are gone", 90)
    claim = hub_stage.kube.object("persistentvolumeclaim", f"{NAME}-weights", hub_stage.namespace)
    assert claim is not None
    sent = hub.sent["model.safetensors"]

    hub_stage.apply(NAME, SPEC)
    hub_stage.await_reason(NAME, "WeightsReady", "WeightsVerified", seconds=180)

    assert hub.sent["model.safetensors"] - sent < 1_000_000  # the header, which is looked at to measure
    hub_stage.delete(NAME)


def test_a_model_that_the_hub_does_not_have_is_told_with_what_to_do(hub_stage: Stage) -> None:
    """And nothing is claimed for it."""
    hub_stage.apply("nothing", {**SPEC, "model": {"uri": "hf://Qwen/Nothing"}})

    seen = hub_stage.await_reason("nothing", "WeightsReady", "SourceNotFound", seconds=120)

    assert "check the name in model.uri" in seen["status"]["message"]
    assert hub_stage.kube.object("persistentvolumeclaim", "nothing-weights", hub_stage.namespace) is None
    hub_stage.delete("nothing")
