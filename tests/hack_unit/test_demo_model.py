"""What the demo reads of an example and of a model's status (hack/demo/model.py, hack/demo/pod.py)."""

from pathlib import Path
from typing import Any

import pytest

from hack.demo.errors import DemoError
from hack.demo.model import condition, example
from hack.demo.pod import complaint
from hack.demo.up import EXAMPLE

READY = {"type": "Ready", "status": "False", "reason": "Starting", "message": "Pod a runs and its engine is loading."}


def test_the_demos_example_says_where_its_weights_belong() -> None:
    """The claim and the folder are typed once, in the example."""
    read = example(EXAMPLE)

    assert (read.name, read.namespace) == ("qwen3", "default")
    assert (read.claim, read.folder) == ("models", "smollm2-135m-instruct")


@pytest.mark.parametrize("uri", ["hf://org/name", "pvc://claim-without-a-folder"])
def test_an_example_without_a_folder_on_a_claim_is_no_example_for_the_demo(tmp_path: Path, uri: str) -> None:
    """The sentence says what to write instead."""
    path = tmp_path / "model.yaml"
    path.write_text(f"metadata: {{name: m}}\nspec: {{model: {{uri: '{uri}'}}}}\n")

    with pytest.raises(DemoError, match=r"write spec\.model\.uri as pvc://claim/folder"):
        example(path)


@pytest.mark.parametrize("model", [None, {}, {"status": {}}, {"status": {"conditions": []}}])
def test_a_model_without_a_status_has_empty_conditions(model: dict[str, Any] | None) -> None:
    """The operator may not have seen it yet."""
    assert condition(model, "Ready") == {}
    assert condition({"status": {"conditions": [READY]}}, "Ready") == READY


def test_an_image_that_cannot_be_had_is_a_complaint_and_a_pull_under_way_is_none() -> None:
    """The demo ends at once instead of waiting for a pod that never starts."""

    def pod(reason: str) -> dict[str, Any]:
        waiting = {"reason": reason, "message": "not found"}
        return {"status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}

    assert complaint(pod("ImagePullBackOff")) == "not found"
    assert complaint(pod("ContainerCreating")) == ""
    assert complaint({}) == ""
