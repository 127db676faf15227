"""`spec` of a QwenModel: every field with its range, unit and default.

Why it exists: this is the whole contract with the person who writes a QwenModel; `kubectl explain` prints it. It must
never grow a free pod template, a choice of ServiceAccount, a volume or a reference to a Secret's content: who may write
a QwenModel must gain no more than that.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.cache import CACHE_RULES, Cache, Credentials, NetworkPolicy
from qwen_operator.core.resource.fields import LabelKey, LabelValue, Part, Quantity, bounded
from qwen_operator.core.resource.rules import rules
from qwen_operator.core.resource.scheduling import Scheduling
from qwen_operator.core.resource.server import Auth, Server, Service

URI_RULES = rules(
    (
        "self.matches('^(hf|pvc|s3|oci)://.+')",
        "model.uri must start with pvc://, hf://, s3:// or oci://, such as pvc://models/qwen3-8b",
    ),
    (
        "!self.startsWith('pvc://') || "
        "self.matches('^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?$')",
        "model.uri must be pvc://<claim>/<folder>: a claim's name in small letters, then folders of letters, digits, "
        "'.', '_' and '-' that don't begin with a dot",
    ),
    (
        "!self.startsWith('hf://') || "
        "self.matches('^hf://[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9._/-]+)?$')",
        "model.uri must be hf://<organisation>/<name>, or with a revision hf://<organisation>/<name>@<revision>",
    ),
)

MEMORY_RULES = rules(
    (
        "!has(self.memory) || !has(self.sharedMemory) || "
        "quantity(string(self.sharedMemory)).isLessThan(quantity(string(self.memory)))",
        "resources.sharedMemory counts towards resources.memory and must be smaller; raise memory",
    ),
    (
        "!has(self.gpuProduct) || !has(self.gpuResourceName) || self.gpuResourceName.startsWith('nvidia.com/')",
        "resources.gpuProduct is about NVIDIA's node label; with another gpuResourceName use scheduling.nodeSelector",
    ),
)

SPEC_RULES = rules(
    (
        "self.device != 'CPU' || !has(self.resources) || !(has(self.resources.gpus) || "
        "has(self.resources.gpuProduct) || has(self.resources.gpuResourceName))",
        "device CPU excludes resources.gpus, gpuProduct and gpuResourceName; remove them or set device to GPU",
    ),
    (
        "self.device != 'CPU' || !has(self.parallelism) || !has(self.parallelism.tensor)",
        "device CPU excludes parallelism.tensor; remove it or set device to GPU",
    ),
    (
        "self.device != 'CPU' || !has(self.server) || !has(self.server.gpuMemoryUtilization)",
        "device CPU excludes server.gpuMemoryUtilization; remove it or set device to GPU",
    ),
    (
        "!has(self.parallelism) || !has(self.parallelism.tensor) || !has(self.resources) || "
        "!has(self.resources.gpus) || self.resources.gpus % self.parallelism.tensor == 0",
        "resources.gpus must be a multiple of parallelism.tensor; leave tensor out to use all GPUs of a replica",
    ),
)


class ModelSource(Part, frozen=True, kw_only=True):
    """Which model, and how clients see it."""

    uri: Annotated[
        str,
        Meta(
            min_length=7,
            max_length=1024,
            description="Where the model's files are: pvc://<claim>/<folder> on a PersistentVolumeClaim in the same "
            "namespace, hf://<organisation>/<name>[@<revision>] on a hub, or s3://<bucket>/<path> in an object store. "
            "oci://<image> is reserved: it is accepted, and answered by the condition reason UnsupportedScheme.",
            extra_json_schema=URI_RULES,
        ),
    ]
    served_name: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$",
                max_length=128,
                description="The id that clients send as model. Default: the object's name.",
            ),
        ]
        | None
    ) = None
    context_length: (
        Annotated[
            int,
            Meta(
                ge=1024,
                le=1_048_576,
                description="Tokens of prompt and completion together that a request may use, a hard limit, 1024 to "
                "1048576. Default: 200000 or the model's own limit if that is less; on CPU 8192 or the model's own.",
            ),
        ]
        | None
    ) = None
    dtype: Annotated[
        Literal["Auto", "BFloat16", "Float16", "Float32"],
        Meta(description="Type the engine computes in. Default: Auto, as the model's files say."),
    ] = "Auto"
    tool_call_parser: Annotated[
        Literal["Auto", "None", "Hermes", "Qwen3Coder"],
        Meta(
            description="How tool calls are read from the model's text. None leaves them there and refuses requests "
            "with tools, unless they demand a call. Default: Auto, as the model's chat template says."
        ),
    ] = "Auto"
    reasoning_parser: Annotated[
        Literal["Auto", "None", "Qwen3"],
        Meta(
            description="How reasoning is read from the model's text. None leaves it there. Default: Auto, as the "
            "model's chat template says."
        ),
    ] = "Auto"

    credentials_ref: (
        Annotated[Credentials, Meta(description="The Secret that opens the source. Default: none.")] | None
    ) = None


class Resources(Part, frozen=True, kw_only=True):
    """What one replica gets."""

    gpus: (
        Annotated[
            int, Meta(ge=1, le=64, description="GPUs of one replica. Default: parallelism.tensor, else 1; none on CPU.")
        ]
        | None
    ) = None
    gpu_resource_name: (
        Annotated[
            LabelKey,
            Meta(
                description="Name under which nodes offer GPUs, such as nvidia.com/gpu or nvidia.com/mig-3g.40gb; the "
                "taint of the same name is tolerated. Default: nvidia.com/gpu.",
                extra_json_schema=rules(
                    ("self.contains('/')", "resources.gpuResourceName needs a domain, such as nvidia.com/gpu")
                ),
            ),
        ]
        | None
    ) = None
    gpu_product: (
        Annotated[
            LabelValue,
            Meta(
                description="Value of the node label nvidia.com/gpu.product that replicas ask for, such as "
                "NVIDIA-H200. Default: any."
            ),
        ]
        | None
    ) = None
    cpu: (
        Annotated[
            Quantity,
            Meta(description="CPU that one replica requests, in cores. Default: 4 + 2 a GPU; 500m on CPU."),
            bounded("resources.cpu", "100m", "1k", "write cores, such as 4 or 500m"),
        ]
        | None
    ) = None
    memory: (
        Annotated[
            Quantity,
            Meta(
                description="Memory of one replica, request and limit alike, in bytes. Default: 16Gi + 8Gi a GPU, no "
                "limit; on CPU a request of 2Gi and a limit of 8Gi."
            ),
            bounded("resources.memory", "512Mi", "16Ti", "write a unit, such as 32Gi"),
        ]
        | None
    ) = None
    shared_memory: (
        Annotated[
            Quantity,
            Meta(
                description="Size of /dev/shm in one replica, in bytes; what is used counts towards memory. Default: "
                "16Gi with several GPUs, else 1Gi; at most half of a given memory."
            ),
            bounded("resources.sharedMemory", "64Mi", "1Ti", "write a unit, such as 16Gi"),
        ]
        | None
    ) = None


class Parallelism(Part, frozen=True, kw_only=True):
    """How one replica's GPUs share the model."""

    tensor: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=64,
                description="GPUs that split each layer; the rest of resources.gpus become pipeline stages. Default: "
                "resources.gpus.",
            ),
        ]
        | None
    ) = None


class Spec(Part, frozen=True, kw_only=True):
    """What is asked for."""

    model: Annotated[ModelSource, Meta(description="Which model, and how clients see it.")]
    device: Annotated[
        Literal["GPU", "CPU"],
        Meta(
            description="What replicas compute on. CPU is for trying things out with small models, with the same API "
            "and keys. Default: GPU."
        ),
    ] = "GPU"
    replicas: Annotated[
        int, Meta(ge=0, le=1000, description="Replicas that serve the model; `kubectl scale` sets it. Default: 1.")
    ] = 1
    suspend: Annotated[
        bool,
        Meta(description="Runs no replica while true, and keeps the Service and the keys. Default: false."),
    ] = False
    resources: Annotated[Resources, Meta(description="What one replica gets.", extra_json_schema=MEMORY_RULES)] = (
        Resources()
    )
    parallelism: Annotated[Parallelism, Meta(description="How one replica's GPUs share the model.")] = Parallelism()
    server: Annotated[Server, Meta(description="The server that runs in each replica.")] = Server()
    auth: Annotated[Auth, Meta(description="Who may call the model.")] = Auth()
    service: Annotated[Service, Meta(description="The Service in front of the replicas.")] = Service()
    cache: Annotated[Cache, Meta(description="Where fetched weights are kept.", extra_json_schema=CACHE_RULES)] = (
        Cache()
    )
    network_policy: Annotated[NetworkPolicy, Meta(description="Whom the replicas may talk to.")] = NetworkPolicy()
    scheduling: Annotated[Scheduling, Meta(description="Which nodes may run the replicas.")] = Scheduling()
