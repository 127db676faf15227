"""What one replica is run with, worked out once from the spec and the operator's settings.

Why it exists: every default that depends on more than its own field is decided here, so that builders only write down.
It must never look at what lives, and never depend on the operator's version: a changed number restarts every replica.
"""

from dataclasses import dataclass

from qwen_operator.core import names, question
from qwen_operator.core.duration import seconds
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.place import Place, place
from qwen_operator.core.quantity import canonical, half, smaller
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.environment import ENVIRONMENT
from qwen_operator.core.resource.spec import Spec
from qwen_operator.core.settings import Settings

NVIDIA = "nvidia.com/gpu"

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104
"""In a pod every address is the pod's own, and nothing is answered without a key."""

ENDPOINT_DELAY = 5
"""Seconds that a stopping server goes on accepting, while kube-proxy takes it out of the Service."""
SHUTDOWN = 40
"""Seconds for the engine to let go of its devices, with some to spare."""
STALL_TIMEOUT = 600
"""Seconds that a start may stand still where server.stallTimeout is not given; the server's default."""

PARSERS = {"Auto": None, "None": "none", "Hermes": "hermes", "Qwen3Coder": "qwen3_coder", "Qwen3": "qwen3"}
"""The server's names of parsers, which are vLLM's; Auto is the server's own default."""


@dataclass(frozen=True, kw_only=True)
class Devices:
    """GPUs of one replica."""

    resource: str
    count: int
    product: str | None
    layout: Layout
    """How they share the model."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What one replica is run with; amounts are canonical."""

    image: str
    pull_policy: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    devices: Devices | None
    """None on a CPU."""
    cpu: str
    memory_request: str
    memory_limit: str | None
    shared_memory: str
    models: Place
    """Where the files are."""
    key_secret: str
    generate_key: bool
    grace_period: int
    """Seconds that a replica which is asked to go gets altogether."""
    replicas: int
    """As asked, or 0 while suspended."""


def served_name(model: QwenModel) -> str:
    """The id that clients send."""
    return model.spec.model.served_name or model.metadata.name


def key_secret(model: QwenModel) -> str:
    """Name of the Secret of API keys."""
    return model.spec.auth.secret_name or names.key_secret(model.metadata.name)


def replicas(spec: Spec) -> int:
    """Replicas that are to run."""
    return 0 if spec.suspend else spec.replicas


def grace_period(spec: Spec) -> int:
    """Seconds from SIGTERM to the end: leave the Service, finish requests, let go of the devices."""
    return ENDPOINT_DELAY + seconds(spec.rollout.drain_timeout) + SHUTDOWN


def stall_timeout(spec: Spec) -> int:
    """Seconds that a start may stand still."""
    asked = spec.server.stall_timeout
    return STALL_TIMEOUT if asked is None else seconds(asked)


def pull_policy(spec: Spec, settings: Settings) -> str:
    """When the kubelet pulls the images of the program and of the model."""
    return spec.server.image_pull_policy or settings.image_pull_policy


def devices(spec: Spec, layout: Layout | None = None) -> Devices | None:
    """GPUs of one replica, or None on a CPU.

    :param layout: what the fit check has chosen; None if it knows too little, and then what is asked for counts.
    """
    if spec.device == "CPU":
        return None
    asked = spec.resources
    return Devices(
        resource=asked.gpu_resource_name or NVIDIA,
        count=question.gpus(spec),
        product=asked.gpu_product,
        layout=layout or _asked_layout(spec),
    )


def _asked_layout(spec: Spec) -> Layout:
    """Each layer is split by all GPUs of its stage, unless said otherwise."""
    asked, count = spec.parallelism, question.gpus(spec)
    data = asked.data or 1
    tensor = asked.tensor or count // data // (asked.pipeline or 1)
    return Layout(tensor, pipeline=max(1, count // data // tensor), data=data, expert=asked.expert == "Enabled")


def serving(model: QwenModel, settings: Settings, layout: Layout | None = None) -> Serving:
    """All of it, for a model whose files are on a claim; `layout` as `devices` takes it."""
    spec, gpus = model.spec, devices(model.spec, layout)
    request, limit = _memory(spec, gpus)
    generate = spec.auth.generate
    return Serving(
        image=spec.server.image or (settings.server_image if gpus else settings.server_cpu_image),
        pull_policy=pull_policy(spec, settings),
        arguments=_arguments(model, gpus),
        environment=(*ENVIRONMENT.items(), *((variable.name, variable.value) for variable in spec.server.env)),
        devices=gpus,
        cpu=_cpu(spec, gpus),
        memory_request=request,
        memory_limit=limit,
        shared_memory=_shared_memory(spec, gpus),
        models=place(model),
        key_secret=key_secret(model),
        generate_key=spec.auth.secret_name is None if generate is None else generate,
        grace_period=grace_period(spec),
        replicas=replicas(spec),
    )


def _cpu(spec: Spec, gpus: Devices | None) -> str:
    # a CPU replica asks for little, so that two of them and a rollout fit on two cores
    computed = str(4 + 2 * gpus.count) if gpus else "500m"
    return canonical(computed if spec.resources.cpu is None else spec.resources.cpu)


def _memory(spec: Spec, gpus: Devices | None) -> tuple[str, str | None]:
    if spec.resources.memory is not None:
        asked = canonical(spec.resources.memory)
        return asked, asked
    return (canonical(f"{16 + 8 * gpus.count}Gi"), None) if gpus else ("2Gi", "8Gi")


def _shared_memory(spec: Spec, gpus: Devices | None) -> str:
    """As asked, else enough for the talk of several GPUs, but never more than half of the memory it counts towards."""
    asked, memory = spec.resources.shared_memory, spec.resources.memory
    if asked is not None:
        return canonical(asked)
    computed = "16Gi" if gpus and gpus.count > 1 else "1Gi"
    return computed if memory is None else smaller(computed, half(memory))


def _arguments(model: QwenModel, gpus: Devices | None) -> tuple[str, ...]:
    """The server's command line, one flag an element."""
    asked, server = model.spec.model, model.spec.server
    flags: dict[str, object] = {
        "model": place(model).path,
        "served-model-name": served_name(model),
        "max-model-len": asked.context_length,
        "device": model.spec.device.lower(),
        "dtype": None if asked.dtype == "Auto" else asked.dtype.lower(),
        "tool-call-parser": PARSERS[asked.tool_call_parser],
        "reasoning-parser": PARSERS[asked.reasoning_parser],
        "kv-cache-dtype": None if asked.kv_cache_dtype == "Auto" else asked.kv_cache_dtype.lower(),
        "tensor-parallel-size": gpus.layout.tensor if gpus else None,
        "pipeline-parallel-size": gpus.layout.pipeline if gpus and gpus.layout.pipeline > 1 else None,
        "data-parallel-size": gpus.layout.data if gpus and gpus.layout.data > 1 else None,
        "gpu-memory-utilization": server.gpu_memory_utilization if gpus else None,
        "max-num-seqs": server.max_num_seqs,
        "context-overflow": server.context_overflow.lower(),
        "keys": names.KEYS_DIR,
        "host": EVERY_ADDRESS,
        "port": names.API_PORT,
        "management-port": names.MANAGEMENT_PORT,
        "endpoint-delay": ENDPOINT_DELAY,
        "drain-timeout": seconds(model.spec.rollout.drain_timeout),
        "stall-timeout": None if server.stall_timeout is None else stall_timeout(model.spec),
    }
    own = (f"--{flag}={value}" for flag, value in flags.items() if value is not None)
    experts = ("--enable-expert-parallel",) if gpus and gpus.layout.expert else ()
    return (*own, *experts, *server.args)
