"""An autoscaler of Kubernetes' own scales a model, and nobody pulls the other way."""

import json
from typing import Any

from tests.cluster.conftest import CLAIM, FOLDER
from tests.cluster.stage import Stage, eventually

NAME = "elastic"


def test_a_horizontal_pod_autoscaler_sets_the_number_of_replicas_and_it_stays(stage: Stage) -> None:
    """It raises a model to its own least; a later look of the operator leaves the number as it is.

    The model rests, so that no engine starts for this.
    """
    where = f"--namespace={stage.namespace}"
    stage.apply(NAME, {"device": "CPU", "model": {"uri": f"pvc://{CLAIM}/{FOLDER}"}, "suspend": True})
    stage.await_reason(NAME, "Ready", "Suspended", seconds=30)
    stage.kube.kubectl("autoscale", f"qwenmodel/{NAME}", where, "--min=2", "--max=3", "--cpu-percent=80")
    try:
        eventually(lambda: (stage.model(NAME) or {})["spec"].get("replicas") == 2, "two replicas are asked for", 60)
        generation = (stage.model(NAME) or {})["metadata"]["generation"]

        stage.kube.kubectl("label", "qwenmodel", NAME, where, "touched=again")

        seen = stage.await_reason(NAME, "Ready", "Suspended", seconds=30)
        assert (seen["spec"]["replicas"], seen["metadata"]["generation"]) == (2, generation)
        owners = {entry["manager"] for entry in fields(stage) if "f:replicas" in entry["fieldsV1"].get("f:spec", {})}
        assert owners == {"kube-controller-manager"}
    finally:
        stage.kube.kubectl("delete", f"hpa/{NAME}", where)
        stage.delete(NAME)


def fields(stage: Stage) -> list[dict[str, Any]]:
    """Who owns which field of the model."""
    text = stage.kube.text(
        "get", "qwenmodel", NAME, f"--namespace={stage.namespace}", "--show-managed-fields", "--output=json"
    )
    found: list[dict[str, Any]] = json.loads(text)["metadata"]["managedFields"]
    return found
