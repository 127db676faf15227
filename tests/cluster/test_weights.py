"""Weights from a hub to an answer: measured, claimed, fetched over a broken line, verified, served, and kept.

The hub is a real server with the paths, headers and errors of the Hugging Face hub, on the address at which the ring's
own cluster sees this machine; on another cluster these tests are skipped, since its pods may not reach it.
"""

from hack.weights import smollm2
from tests.cluster.conftest import BROKEN_AFTER, OWN_CLUSTER
from tests.cluster.stage import Stage, eventually
from tests.weights_unit.hub_server import REPOSITORY, Hub

pytestmark = OWN_CLUSTER

NAME = "hubbed"
SPEC = {"device": "CPU", "model": {"uri": f"hf://{REPOSITORY}", "dtype": "Float32"}}


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
