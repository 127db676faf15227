"""The numbers that builders write down: what is said counts, else what is computed."""

from typing import Any

import pytest

from qwen_operator.core.resource import environment
from qwen_operator.core.serving import ENDPOINT_DELAY, Serving, serving
from tests.builders import SETTINGS, a_model


def served(**spec: Any) -> Serving:
    """What a model with this spec is served with."""
    return serving(a_model(**spec), SETTINGS)


def flags(**spec: Any) -> dict[str, str]:
    """The server's flags and their values."""
    return dict(argument.split("=", 1) for argument in served(**spec).arguments if "=" in argument)


def test_a_cpu_replica_asks_for_little() -> None:
    """Two of them and a rollout fit on two cores; memory has a limit so that a mistake does not take the node."""
    found = served(device="CPU")

    assert (found.cpu, found.memory_request, found.memory_limit, found.shared_memory) == ("500m", "2Gi", "8Gi", "1Gi")
    assert found.devices is None


@pytest.mark.parametrize(
    ("gpus", "cpu", "memory", "shared"), [(1, "6", "24Gi", "1Gi"), (2, "8", "32Gi", "16Gi"), (8, "20", "80Gi", "16Gi")]
)
def test_a_gpu_replica_is_sized_by_its_gpus(gpus: int, cpu: str, memory: str, shared: str) -> None:
    """4 + 2 cores and 16 + 8 GiB a GPU; the processes of several GPUs talk through shared memory."""
    found = served(device="GPU", resources={"gpus": gpus})

    assert (found.cpu, found.memory_request, found.memory_limit, found.shared_memory) == (cpu, memory, None, shared)


def test_what_is_said_counts() -> None:
    """In the API server's spelling; memory is request and limit alike."""
    found = served(resources={"cpu": "1500m", "memory": "1.5Gi", "sharedMemory": "512Mi"})

    assert (found.cpu, found.memory_request, found.memory_limit) == ("1500m", "1536Mi", "1536Mi")
    assert found.shared_memory == "512Mi"


@pytest.mark.parametrize(
    ("resources", "parallelism", "gpus", "tensor", "pipeline"),
    [
        ({}, {}, 1, 1, 1),
        ({"gpus": 8}, {}, 8, 8, 1),
        ({"gpus": 8}, {"tensor": 4}, 8, 4, 2),
        ({}, {"tensor": 4}, 4, 4, 1),
    ],
)
def test_all_gpus_of_a_replica_split_the_model(
    resources: dict[str, int], parallelism: dict[str, int], gpus: int, tensor: int, pipeline: int
) -> None:
    """Tensor parallel unless said; what is left over becomes pipeline stages."""
    devices = served(device="GPU", resources=resources, parallelism=parallelism).devices

    assert devices is not None
    assert (devices.count, devices.layout.tensor, devices.layout.pipeline) == (gpus, tensor, pipeline)


def test_the_server_is_told_the_least_on_a_cpu() -> None:
    """Every flag that the model does not decide keeps the server's own default."""
    assert served(device="CPU").arguments == (
        "--model=/models/qwen3",
        "--served-model-name=qwen3",
        "--device=cpu",
        "--context-overflow=reject",
        "--keys=/etc/qwen/keys",
        "--host=0.0.0.0",
        "--port=8000",
        "--management-port=8001",
        "--endpoint-delay=5",
        "--drain-timeout=300",
    )


def test_the_server_is_told_everything_that_a_model_says() -> None:
    """Each field reaches its flag."""
    model = {"uri": "pvc://models/a/b", "servedName": "Qwen/Qwen3", "contextLength": 200000, "dtype": "BFloat16"}
    model |= {"toolCallParser": "Qwen3Coder", "reasoningParser": "None"}
    server = {"gpuMemoryUtilization": 0.92, "maxNumSeqs": 64, "contextOverflow": "Clamp", "args": ["--block-size=32"]}

    found = flags(device="GPU", model=model, server=server, resources={"gpus": 8}, parallelism={"tensor": 4})

    assert found["--model"] == "/models/a/b"
    assert found["--served-model-name"] == "Qwen/Qwen3"
    assert found["--max-model-len"] == "200000"
    assert found["--dtype"] == "bfloat16"
    assert (found["--tool-call-parser"], found["--reasoning-parser"]) == ("qwen3_coder", "none")
    assert (found["--tensor-parallel-size"], found["--pipeline-parallel-size"]) == ("4", "2")
    assert found["--gpu-memory-utilization"] == "0.92"
    assert found["--max-num-seqs"] == "64"
    assert found["--context-overflow"] == "clamp"
    assert found["--block-size"] == "32"


def test_a_whole_claim_can_be_the_model() -> None:
    """No slash at the end."""
    assert flags(model={"uri": "pvc://models"})["--model"] == "/models"


def test_each_device_has_its_image() -> None:
    """Unless the model names one."""
    assert served(device="CPU").image == SETTINGS.server_cpu_image
    assert served(device="GPU").image == SETTINGS.server_image
    assert served(server={"image": "registry.example/own:1"}).image == "registry.example/own:1"


@pytest.mark.parametrize(
    ("auth", "secret", "generate"),
    [
        ({}, "qwen3-api-keys", True),
        ({"generate": False}, "qwen3-api-keys", False),
        ({"secretName": "team"}, "team", False),
        ({"secretName": "team", "generate": True}, "team", True),
    ],
)
def test_a_key_is_generated_unless_a_secret_is_named(auth: dict[str, Any], secret: str, generate: bool) -> None:
    """Who names a Secret means their own."""
    found = served(auth=auth)

    assert (found.key_secret, found.generate_key) == (secret, generate)


def test_a_suspended_model_has_no_replicas() -> None:
    """Whatever their number."""
    assert served(replicas=3).replicas == 3
    assert served(replicas=3, suspend=True).replicas == 0


def test_a_models_variables_come_after_the_operators() -> None:
    """Which none of them can override, since their names are refused."""
    names = [name for name, _ in served(server={"env": [{"name": "VLLM_LOGGING_LEVEL", "value": "DEBUG"}]}).environment]

    assert names == [*environment.ENVIRONMENT, "VLLM_LOGGING_LEVEL"]
    assert set(environment.ENVIRONMENT) < set(environment.RESERVED)


@pytest.mark.parametrize(("span", "seconds"), [(None, 300), ("90s", 90), ("1h30m", 5400), ("0s", 0)])
def test_the_pod_outlives_its_drain(span: str | None, seconds: int) -> None:
    """Else the kubelet would kill requests that the server promised to finish."""
    asked = {"rollout": {"drainTimeout": span}} if span else {}

    assert flags(**asked)["--drain-timeout"] == str(seconds)
    assert served(**asked).grace_period >= ENDPOINT_DELAY + seconds + 30


def test_the_server_is_told_how_long_a_start_may_stand_still() -> None:
    """Only if the model says so: its own default is the documented one."""
    assert "--stall-timeout" not in flags()
    assert flags(server={"stallTimeout": "20m"})["--stall-timeout"] == "1200"


@pytest.mark.parametrize(("memory", "shared"), [("8Gi", "4Gi"), ("48Gi", "16Gi"), ("1500M", "715Mi"), (2**30, "512Mi")])
def test_computed_shared_memory_leaves_half_of_a_given_memory(memory: str | int, shared: str) -> None:
    """It counts towards the container's memory: 16Gi of it in 8Gi would end the server."""
    assert served(device="GPU", resources={"gpus": 2, "memory": memory}).shared_memory == shared
