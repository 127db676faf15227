"""What the cluster ring concludes from what it reads (tests/cluster/stage.py)."""

import json
from pathlib import Path
from typing import Any

import pytest

from hack.demo.chart import Images, Release
from hack.demo.kube import Kube
from tests.cluster.stage import Stage, marks


def a_deployment(generation: int = 1, written: str = "08:00:00", judged: str = "08:00:01") -> dict[str, Any]:
    """A Deployment that the operator wrote and the Deployment controller reported on, at these times."""
    managed = [
        {"manager": "qwen-operator", "operation": "Apply", "time": written},
        {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "time": judged},
    ]
    metadata = {"name": "m", "resourceVersion": judged, "generation": generation, "managedFields": managed}
    return {"kind": "Deployment", "metadata": metadata}


def test_what_a_controller_reports_leaves_the_operators_marks_as_they_are() -> None:
    """The Deployment controller goes on writing for a moment after the operator has settled."""
    assert marks([a_deployment()]) == marks([a_deployment(judged="08:00:02")])


@pytest.mark.parametrize("later", [a_deployment(written="08:00:02"), a_deployment(generation=2)])
def test_any_write_of_the_operator_changes_its_marks(later: dict[str, Any]) -> None:
    """A second write within one second changes the generation, if it changes anything that counts."""
    assert marks([a_deployment()]) != marks([later])


def test_conditions_that_are_compared_come_from_one_read(tmp_path: Path) -> None:
    """A crashing model has another reason a moment later; the read that had the awaited one is what counts."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f"#!/bin/sh\necho x >> {tmp_path}/reads\nexec sed -n $(wc -l < {tmp_path}/reads)p {tmp_path}/models\n"
    )
    kubectl.chmod(0o755)
    models = [{"status": {"conditions": [{"type": "Ready", "reason": reason}]}} for reason in ("A", "B", "C")]
    (tmp_path / "models").write_text("".join(json.dumps(model) + "\n" for model in models))
    stage = Stage(
        Kube(str(kubectl), "helm", tmp_path / "log"),
        Images(operator="", server="", server_cpu=""),
        Release("r", "n", ()),
        "n",
    )

    assert stage.await_reason("m", "Ready", "B") == models[1]
