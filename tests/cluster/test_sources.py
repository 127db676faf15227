"""Trouble with weights and with their size, from a real hub's answers: no GPU is held, and what to do is said.

The Jobs ask for half a core each, so a few of them run at a time; each test takes its model away and lets the next on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.demo.claim import Destination, claim
from tests.checkpoints import QWEN3_8B, tensors, written
from tests.cluster.conftest import OWN_CLUSTER
from tests.cluster.plugin import typed, why
from tests.cluster.stage import Stage
from tests.cluster.troubles import Trouble, is_told
from tests.weights_unit.hub_server import REPOSITORY, Hub

pytestmark = OWN_CLUSTER

LARGE, VAST = "galaxy.safetensors", 10**15
"""A file as no disk has room for."""
EDIT = "kubectl edit qwenmodel {it}"
SHARED = "shared"


def fetched(repository: str, **more: Any) -> dict[str, Any]:
    """A model of the hub on a CPU."""
    return {"device": "CPU", "model": {"uri": f"hf://{repository}"}, **more}


def eight(gpu_memory: str, *, context: int = 40_960, **resources: Any) -> dict[str, Any]:
    """Qwen3-8B, 15.3 GiB of weights and 5.6 of KV cache at its 40,960 tokens, on GPUs of a memory."""
    model = {"uri": "hf://Qwen/Qwen3-8B", "contextLength": context}
    return {"model": model, "resources": {"gpus": 1, "gpuMemory": gpu_memory, **resources}}


TROUBLES = {
    "nothing": Trouble(
        fetched("Qwen/Nothing"), "SourceNotFound", ("check the name in model.uri",), EDIT, kind="WeightsReady"
    ),
    "private": Trouble(
        fetched("Qwen/Private"), "SourceUnauthorized", ("model.credentialsRef",), EDIT, kind="WeightsReady"
    ),
    "gated": Trouble(
        fetched("Qwen/Gated"), "SourceForbiddenGated", ("accept its conditions there",), EDIT, kind="WeightsReady"
    ),
    "no-revision": Trouble(
        fetched(f"{REPOSITORY}@v9"),
        "RevisionNotFound",
        ("has no revision v9", "a branch, tag or commit that exists"),
        EDIT,
        kind="WeightsReady",
    ),
    "pickled": Trouble(
        fetched("Qwen/Pickled"), "NoSafetensors", ("pickled weights are never read",), EDIT, kind="WeightsReady"
    ),
    "busy": Trouble(
        fetched("Qwen/Busy"),
        "RateLimited",
        ("asks to wait 3600 s", "tried again by itself"),
        "kubectl qwen status {it} --watch",
        kind="WeightsReady",
    ),
    "vast": Trouble(
        fetched("Qwen/Vast", cache={"claimName": SHARED}),
        "OutOfSpace",
        ("more are needed", "cache.size"),
        f"kubectl describe pvc {SHARED} -n ",
        kind="WeightsReady",
    ),
    "too-heavy": Trouble(
        eight("12Gi"),
        "WeightsDoNotFit",
        ("The weights take 15.26 GiB of each GPU", "Raise resources.gpus"),
        "kubectl patch qwenmodel {it} --type merge",
        kind="Fits",
    ),
    "too-long": Trouble(
        eight("40Gi", context=100_000),
        "ContextAboveModelLimit",
        ("above the 40960 tokens",),
        EDIT,
        kind="Fits",
    ),
    "three": Trouble(
        eight("40Gi", gpus=3) | {"parallelism": {"tensor": 3}},
        "TensorSizeNotDivisible",
        ("parallelism.tensor that divides the number of heads",),
        EDIT,
        kind="Fits",
    ),
}


def at_the_hub(hub: Hub, folder: Path) -> None:
    """Further repositories: refused, without safetensors, too large for any disk, and one with the heads of an 8B."""
    hub.doors = {
        "Qwen/Private": (401, {"X-Error-Code": "RepoNotFound"}),
        "Qwen/Gated": (403, {"X-Error-Code": "GatedRepo"}),
        "Qwen/Busy": (429, {"Retry-After": "3600"}),
    }
    heads = {path.name: path.read_bytes() for path in written(folder, QWEN3_8B).iterdir()}
    config = heads["config.json"]
    hub.others = {
        "Qwen/Pickled": {"config.json": config, "pytorch_model.bin": b"never"},
        "Qwen/Vast": {"config.json": config, LARGE: b"the beginning"},
        "Qwen/Qwen3-8B": heads,
    }
    shares = [0, 0]
    for place, tensor in enumerate(tensors(QWEN3_8B)):
        shares[place % 2] += tensor.size
    files = sorted(name for name in heads if name.endswith(".safetensors"))
    whole = {name: len(heads[name]) + share for name, share in zip(files, shares, strict=True)}
    hub.claimed = {LARGE: VAST, **whole}


@pytest.fixture(scope="module", autouse=True)
def applied(hub_stage: Stage, hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All of them at once, and the claim that one shares."""
    at_the_hub(hub, tmp_path_factory.mktemp("heads"))
    hub_stage.kube.apply(claim(Destination(hub_stage.namespace, SHARED, "")))
    hub_stage.kube.apply(*(hub_stage.manifest(name, trouble.spec) for name, trouble in TROUBLES.items()))
    yield
    hub_stage.kube.kubectl("delete", "qwenmodels", "--all", f"--namespace={hub_stage.namespace}")
    hub_stage.kube.kubectl("delete", "pvc", SHARED, f"--namespace={hub_stage.namespace}")
    hub.doors, hub.others, hub.claimed = {}, {}, {}


@pytest.mark.parametrize("name", TROUBLES)
def test_the_cause_and_the_remedy_are_named(hub_stage: Stage, name: str) -> None:
    """Before any claim is made for what can't be had, or any replica for what does not fit."""
    is_told(hub_stage, name, TROUBLES[name])

    assert hub_stage.kube.object("persistentvolumeclaim", f"{name}-weights", hub_stage.namespace) is None
    assert hub_stage.kube.object("deployment", name, hub_stage.namespace) is None
    hub_stage.delete(name)


def test_what_does_not_fit_does_once_the_printed_remedy_was_typed(hub_stage: Stage) -> None:
    """The context is the largest that fits, to be copied; nothing was fetched before."""
    hub_stage.apply("corrected", eight("24Gi"))
    refused = hub_stage.await_reason("corrected", "Fits", "KVCacheDoesNotFit")
    account = why(hub_stage, "corrected")

    done = typed(hub_stage, account["commands"][0])

    assert done.returncode == 0, done.stderr
    model = hub_stage.await_reason("corrected", "Fits", "Tight", seconds=30)
    assert model["spec"]["model"]["contextLength"] == refused["status"]["fit"]["largestContext"]
    hub_stage.delete("corrected")
