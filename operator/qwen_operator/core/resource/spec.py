"""`spec` of a QwenModel: every field with its range, unit and default.

Why it exists: this is the whole contract with the person who writes a QwenModel; `kubectl explain` prints it. It must
never grow a free pod template, a choice of ServiceAccount, a volume or a reference to a Secret's content: who may write
a QwenModel must gain no more than that.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.cache import CACHE_RULES, Cache, Credentials, Disruption
from qwen_operator.core.resource.compute import MEMORY_RULES, Parallelism, Resources, Validation
from qwen_operator.core.resource.fields import Part
from qwen_operator.core.resource.network import NETWORK_RULES, NetworkPolicy
from qwen_operator.core.resource.rollout import Rollout
from qwen_operator.core.resource.rules import rules
from qwen_operator.core.resource.scheduling import Scheduling
from qwen_operator.core.resource.server import Auth, Server, Service

URI_RULES = rules(
    (
        "self.matches('^(hf|pvc|s3|oci)://.+')",
        "model.uri must start with pvc://, hf://, s3:// or oci://, such as pvc://models/qwen3-8b",
    ),
    (
        "!self.matches('^[a-z0-9]+://[^/]*@') && !self.contains('?')",
        "model.uri must hold no user, key or signature; put them into a Secret and name it in model.credentialsRef",
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
    (
        "!self.startsWith('oci://') || "
        "self.matches('^oci://[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[a-f0-9]{64})?$')",
        "model.uri must be oci://<registry>/<name> with :<tag> or @sha256:<digest>, such as "
        "oci://registry.example.com/models/qwen3-8b:1",
    ),
)

UNTOLD = "!has(self.parallelism) || !has(self.resources) || !has(self.resources.gpus)"
TENSOR = "(has(self.parallelism.tensor) ? self.parallelism.tensor : 1)"
PIPELINE = "(has(self.parallelism.pipeline) ? self.parallelism.pipeline : 1)"
DATA = "(has(self.parallelism.data) ? self.parallelism.data : 1)"

SPEC_RULES = rules(
    (
        "self.device != 'CPU' || !has(self.resources) || !(has(self.resources.gpus) || "
        "has(self.resources.gpuProduct) || has(self.resources.gpuResourceName) || has(self.resources.gpuMemory))",
        "device CPU excludes resources.gpus, gpuProduct, gpuResourceName and gpuMemory; remove them or set device to "
        "GPU",
    ),
    (
        "self.device != 'CPU' || !has(self.parallelism) || !(has(self.parallelism.tensor) || "
        "has(self.parallelism.pipeline) || has(self.parallelism.data) || "
        "(has(self.parallelism.expert) && self.parallelism.expert != 'Auto'))",
        "device CPU excludes parallelism; remove it or set device to GPU",
    ),
    (
        "self.device != 'CPU' || !has(self.server) || !has(self.server.gpuMemoryUtilization)",
        "device CPU excludes server.gpuMemoryUtilization; remove it or set device to GPU",
    ),
    (
        f"{UNTOLD} || self.resources.gpus % ({TENSOR} * {PIPELINE} * {DATA}) == 0",
        "resources.gpus must be a multiple of parallelism.tensor times pipeline times data; leave one of the first two "
        "out to use all GPUs",
    ),
    (
        f"{UNTOLD} || !has(self.parallelism.tensor) || !has(self.parallelism.pipeline) || "
        f"self.resources.gpus == {TENSOR} * {PIPELINE} * {DATA}",
        "resources.gpus must be parallelism.tensor times pipeline times data; leave one of the first two out to use "
        "all GPUs",
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
            "oci://<image> is an image that holds them at its root; nodes need containerd 2.1 or CRI-O 1.31 for it.",
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
    kv_cache_dtype: Annotated[
        Literal["Auto", "FP8"],
        Meta(description="Type of the KV cache; FP8 halves it. Default: Auto, the type the engine computes in."),
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
    validation: Annotated[Validation, Meta(description="What is worked out before any GPU is used.")] = Validation()
    server: Annotated[Server, Meta(description="The server that runs in each replica.")] = Server()
    auth: Annotated[Auth, Meta(description="Who may call the model.")] = Auth()
    service: Annotated[Service, Meta(description="The Service in front of the replicas.")] = Service()
    cache: Annotated[Cache, Meta(description="Where fetched weights are kept.", extra_json_schema=CACHE_RULES)] = (
        Cache()
    )
    rollout: Annotated[Rollout, Meta(description="How changed replicas take the place of those that run.")] = Rollout()
    network_policy: Annotated[
        NetworkPolicy, Meta(description="Whom the replicas may talk to.", extra_json_schema=NETWORK_RULES)
    ] = NetworkPolicy()
    disruption: Annotated[Disruption, Meta(description="What may take replicas away.")] = Disruption()
    scheduling: Annotated[Scheduling, Meta(description="Which nodes may run the replicas.")] = Scheduling()
