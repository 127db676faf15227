"""A model that comes as an image: it is mounted, neither fetched nor kept, and what keeps it from coming is told."""

from typing import Any

import pytest

from qwen_operator.core import kinds, plan
from qwen_operator.core.causes import kubelet
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply
from tests.builders import SETTINGS, a_model, a_pod, rolled_out
from tests.operator_unit.core.test_bringing import condition, words
from tests.operator_unit.core.test_looking import H200, document, job_of

IMAGE = "registry.example:5000/models/qwen3-8b:1"
BY_DIGEST = "registry.example/qwen3@sha256:" + "a" * 64


def in_an_image(image: str = IMAGE, **spec: Any) -> QwenModel:
    """A model in an image."""
    return a_model(**({"model": {"uri": f"oci://{image}"}, "device": "CPU"} | spec))


def on_a_gpu(**spec: Any) -> QwenModel:
    """The same on one GPU of known memory."""
    return in_an_image(**({"device": "GPU", "resources": H200} | spec))


def made(model: QwenModel, **seen: Any) -> plan.Plan:
    """What is to be done; no claim is there."""
    return plan.make(model, Snapshot(**seen), SETTINGS)


def replica(model: QwenModel) -> Manifest:
    """The pod's spec that a plan applies."""
    [step] = [step for step in made(model).steps if isinstance(step, Apply) and step.kind == kinds.DEPLOYMENT]
    spec: Manifest = step.manifest["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("image", [IMAGE, BY_DIGEST])
def test_replicas_mount_the_image_and_serve_from_its_root(image: str) -> None:
    """Nobody writes to it, and it is pulled as the program's is."""
    pod = replica(in_an_image(image, server={"imagePullPolicy": "Always", "imagePullSecrets": [{"name": "registry"}]}))
    [container] = pod["containers"]

    assert {"name": "models", "image": {"reference": image, "pullPolicy": "Always"}} in pod["volumes"]
    assert {"name": "models", "mountPath": "/models", "readOnly": True} in container["volumeMounts"]
    assert "--model=/models" in container["args"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]


def test_neither_a_claim_nor_a_fetch_is_waited_for() -> None:
    """The spec is accepted, and replicas start."""
    model = in_an_image()

    assert [step.kind for step in made(model).steps if step.kind in (kinds.CLAIM, kinds.JOB)] == []
    assert made(model).problem is None
    assert condition(document(model, claim=None), "Accepted") == ("True", "Accepted")


def test_it_is_looked_at_on_a_node_that_would_serve_it_before_a_gpu_is_held() -> None:
    """That node has pulled it then."""
    model = on_a_gpu(
        scheduling={"nodeSelector": {"pool": "large"}}, server={"imagePullSecrets": [{"name": "registry"}]}
    )
    found = made(model)
    job = job_of(list(found.steps))["spec"]["template"]["spec"]

    assert "Deployment" not in " ".join(words(list(found.steps)))
    assert job["volumes"][-1] == {"name": "models", "image": {"reference": IMAGE, "pullPolicy": "IfNotPresent"}}
    assert job["containers"][0]["args"] == ["describe", "/models"]
    assert {"pool": "large"}.items() <= job["nodeSelector"].items()
    assert job["imagePullSecrets"] == [{"name": "registry"}]


def test_replicas_that_serve_it_do_not_wait_for_a_look_and_those_of_another_do() -> None:
    """A look at what serves could only do harm."""
    running = rolled_out(on_a_gpu(validation={"fit": "Warn"}), 1)
    other = in_an_image("registry.example/other:1", device="GPU", resources=H200)

    assert condition(document(on_a_gpu(), claim=None, deployment=running), "WeightsReady")[1] == "WeightsUnchecked"
    assert condition(document(other, claim=None, deployment=running), "WeightsReady")[1] == "DescribingWeights"


def waiting(reason: str, message: str) -> Manifest:
    """A pod whose container waits for this."""
    container = {
        "name": "server",
        "image": "r.example/x:1",
        "state": {"waiting": {"reason": reason, "message": message}},
    }
    pod = a_pod(status={"containerStatuses": [container]})
    return pod | {"spec": {**pod["spec"], "nodeName": "gpu-1"}}


NO_SOURCE = (
    'failed to generate container "8cc16b729fe45dc812b5434395527a51474ea813f9707ed1769be83c60c5bdde" spec: '
    'failed to generate spec: failed to mkdir "": mkdir : no such file or directory'
)
"""containerd 1.6.20 under a kubelet 1.35.4."""
MISSING = (
    f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack '
    f'image "{IMAGE}": failed to resolve reference "{IMAGE}": {IMAGE}: not found'
)
"""The same two, about an image that is mounted; the kubelet reports it in the state of the container."""


def test_a_runtime_without_image_volumes_is_told_with_the_ways_out() -> None:
    """Of a model on a claim the same words mean something else."""
    pod = waiting("CreateContainerError", NO_SOURCE)
    told = kubelet.container_cannot_be_created(pod, in_an_image())
    otherwise = kubelet.container_cannot_be_created(pod, a_model())

    assert told is not None
    assert (told.reason, "gpu-1" in told.message) == (Reason.IMAGE_VOLUMES_UNSUPPORTED, True)
    assert "containerd 2.1" in told.message
    assert otherwise is not None
    assert otherwise.reason is Reason.CONTAINER_CREATE_FAILED


def test_an_image_of_a_model_that_is_not_there_is_told_apart_from_the_programs() -> None:
    """Each by the field that names it."""
    of_model = kubelet.image_cannot_be_pulled(waiting("ImagePullBackOff", MISSING), in_an_image())
    of_program = kubelet.image_cannot_be_pulled(waiting("ImagePullBackOff", MISSING), in_an_image("r.example/other:1"))

    assert of_model is not None
    assert of_model.message == f"There is no image {IMAGE}: {IMAGE}: not found. Correct model.uri, or push the image."
    assert of_program is not None
    assert "There is no image r.example/x:1" in of_program.message
    assert "Correct server.image or" in of_program.message
