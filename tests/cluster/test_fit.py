"""A model on a claim that is too large for its GPUs holds none of them, and the numbers come from the claim itself.

The files are those of the headline model, heads and all, with nothing behind the heads: as long as the real ones, and
empty. The ring's node is called one with GPUs, which a Job without any does not look for.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hack.cluster.steps import silence
from hack.demo import ground
from hack.demo.claim import Destination, receiver
from hack.demo.ground import Ground
from hack.demo.pod import standing
from tests.checkpoints import QWEN3_CODER_480B, quantized, tensors, written
from tests.cluster.conftest import CLAIM
from tests.cluster.stage import Stage, eventually
from tests.cluster.surroundings import GPU_PRODUCT

NAME, FOLDER, FILES = "headline", "headline", 8
LABEL = "nvidia.com/gpu.product"
GIB = 2**30
LARGE = quantized(QWEN3_CODER_480B)
LENGTHEN = """
import json, os, pathlib, sys
for file in pathlib.Path(sys.argv[1]).glob("*.safetensors"):
    with file.open("rb") as head:
        length = int.from_bytes(head.read(8), "little")
        ends = [tensor["data_offsets"][1] for tensor in json.loads(head.read(length)).values()]
    os.truncate(file, 8 + length + max(ends))
"""


@pytest.fixture
def size(ready: Ground, stage: Stage, tmp_path: Path) -> int:
    """Bytes of the model on the claim: 14 MB come, and become 482 GB of holes."""
    to, folder = Destination(stage.namespace, CLAIM, FOLDER), written(tmp_path / FOLDER, LARGE, files=FILES)
    ground.fill_claim(replace(ready, weights=folder), to, silence)
    with standing(stage.kube, receiver(to, stage.images.operator)):
        where = f"--namespace={stage.namespace}"
        stage.kube.kubectl("wait", "--for=condition=Ready", f"pod/{to.pod}", where, "--timeout=60s")
        stage.kube.kubectl("exec", where, to.pod, "--", "python3", "-c", LENGTHEN, f"/claim/{FOLDER}")
    heads = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return heads + sum(tensor.size for tensor in tensors(LARGE))


@pytest.fixture
def _gpu_node(stage: Stage) -> Iterator[None]:
    """The one node bears the label that GPU feature discovery gives to nodes with H200."""
    node = stage.kube.objects("nodes", stage.namespace)[0]["metadata"]["name"]
    stage.kube.kubectl("label", "node", node, f"{LABEL}={GPU_PRODUCT}", "--overwrite")
    yield
    stage.kube.kubectl("label", "node", node, f"{LABEL}-")


def asked(gpus: int) -> dict[str, Any]:
    """The headline model on so many H200."""
    resources = {"gpus": gpus, "gpuProduct": GPU_PRODUCT}
    return {"device": "GPU", "model": {"uri": f"pvc://{CLAIM}/{FOLDER}"}, "resources": resources}


@pytest.mark.usefixtures("_gpu_node")
def test_what_does_not_fit_is_told_from_the_files_and_asks_for_gpus_once_it_would(stage: Stage, size: int) -> None:
    """On four GPUs none is made, with the published figures; on eight one waits for them, since none are there."""
    stage.apply(NAME, asked(4))
    try:
        status = stage.await_reason(NAME, "Ready", "KVCacheDoesNotFit", seconds=90)["status"]
        fit = status["fit"]

        assert (status["weights"]["files"], status["weights"]["bytes"]) == (FILES, size)
        assert (fit["verdict"], fit["gpusNeeded"]) == ("DoesNotFit", 8)
        assert fit["weights"] / GIB == pytest.approx(112.3, abs=0.1)
        assert fit["largestContext"] == pytest.approx(104_000, rel=0.01)
        [look] = eventually(lambda: [pod for pod in stage.pods(NAME) if ended(pod)], "the look is over", 60)
        assert not has_a_gpu(look)
        assert stage.kube.object("deployment", NAME, stage.namespace) is None

        stage.apply(NAME, asked(8))
        status = stage.await_reason(NAME, "Available", "InsufficientGPU", seconds=60)["status"]
        assert status["fit"]["layout"]["expert"] == "Enabled"
        [same] = [pod for pod in stage.pods(NAME) if not has_a_gpu(pod)]
        assert same["metadata"]["uid"] == look["metadata"]["uid"]
    finally:
        stage.delete(NAME)


def ended(pod: dict[str, Any]) -> bool:
    """Whether it has, and well; its last words come a moment before."""
    return bool(pod["status"]["phase"] == "Succeeded")


def has_a_gpu(pod: dict[str, Any]) -> bool:
    """Whether it asks for one."""
    return any("nvidia.com/gpu" in each["resources"].get("limits", {}) for each in pod["spec"]["containers"])
