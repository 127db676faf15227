"""Replicas that came up as they are asked for are worth more than a number: no estimate stops or restarts them."""

from typing import Any

import pytest

from qwen_operator.core import kinds, names, plan, status
from qwen_operator.core.plan import Outcome
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply
from tests.builders import NOW, SETTINGS, a_claim, a_model, a_pod, rolled_out
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, quantized, report
from tests.operator_unit.core.test_bringing import a_fetcher, condition

TOO_LARGE = report(quantized(QWEN3_CODER_480B))
"""For four H200; on eight it can't be cut by heads alone, as an operator that knew no numbers would have it."""
EIGHT = {"gpus": 8, "gpuProduct": "NVIDIA-H200"}
FOUR = {"gpus": 4, "gpuProduct": "NVIDIA-H200"}
UP = {"conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]}


def on_gpus(resources: dict[str, Any], **more: Any) -> QwenModel:
    """A model on a claim of the user's."""
    return a_model(device="GPU", resources=resources, **more)


def living(resources: dict[str, Any], **more: Any) -> Manifest:
    """Its Deployment, made by an operator that did not look at claims."""
    return rolled_out(on_gpus(resources, validation={"fit": "Off"}, **more), 1)


def seen(model: QwenModel, deployment: Manifest, told: str, *, ready: bool) -> Snapshot:
    """After the look."""
    revision = deployment["spec"]["template"]["metadata"]["labels"].get(names.REVISION, "")
    pod = a_pod(status={"phase": "Running"} | (UP if ready else {}))
    pod["metadata"]["labels"][names.REVISION] = revision
    heard = a_fetcher(model, "describe", message=told)
    return Snapshot(claim=a_claim(), deployment=deployment, pods=(pod,), fetchers=(heard,))


def writes(model: QwenModel, found: Snapshot) -> list[Manifest]:
    """Deployments that a plan applies."""
    steps = plan.make(model, found, SETTINGS).steps
    return [step.manifest for step in steps if isinstance(step, Apply) and step.kind == kinds.DEPLOYMENT]


def document(model: QwenModel, found: Snapshot) -> Manifest:
    """The status."""
    return status.document(model, found, plan.make(model, found, SETTINGS), Outcome(), NOW)


@pytest.mark.parametrize("resources", [FOUR, EIGHT], ids=["no room", "no such layout"])
def test_replicas_that_came_up_go_on_as_they_are(resources: dict[str, Any]) -> None:
    """The condition Fits tells what the numbers say; a model that serves is Ready all the same."""
    model, before = on_gpus(resources), living(resources)

    found = seen(model, before, TOO_LARGE, ready=True)

    assert writes(model, found) == []
    assert condition(document(model, found), "Fits")[0] == "False"
    assert condition(document(model, found), "Ready") == ("True", "Ready")
    assert document(model, found)["fit"]["layout"]["tensor"] == resources["gpus"]


def test_one_that_came_up_once_need_not_be_ready_at_the_moment() -> None:
    """Its node starts anew, say; the status tells that it was there."""
    before = living(EIGHT)
    found = seen(on_gpus(EIGHT), before, TOO_LARGE, ready=True)
    model = on_gpus(EIGHT, status=document(on_gpus(EIGHT), found))

    assert writes(model, seen(model, before, TOO_LARGE, ready=False)) == []


def test_replicas_that_never_came_up_get_the_layout_that_fits() -> None:
    """What could be known only now is the remedy for them."""
    model = on_gpus(EIGHT)

    [written] = writes(model, seen(model, living(EIGHT), TOO_LARGE, ready=False))

    assert "--enable-expert-parallel" in written["spec"]["template"]["spec"]["containers"][0]["args"]


def test_a_change_of_what_came_up_is_estimated_again() -> None:
    """It keeps what runs, and says why."""
    asked = on_gpus(FOUR, server={"maxNumSeqs": 64})
    found = seen(asked, living(FOUR), TOO_LARGE, ready=True)

    assert writes(asked, found) == []
    assert condition(document(asked, found), "Ready") == ("False", "KVCacheDoesNotFit")


def test_a_layout_that_is_asked_for_comes_whatever_has_come_up() -> None:
    """Only what the spec leaves open stays as it runs."""
    asked = on_gpus(EIGHT, parallelism={"tensor": 4, "pipeline": 2})

    [written] = writes(asked, seen(asked, living(EIGHT), report(QWEN3_8B), ready=True))

    assert "--tensor-parallel-size=4" in written["spec"]["template"]["spec"]["containers"][0]["args"]
