"""`spec.resources`, `spec.parallelism` and `spec.validation`: what one replica computes on, and whether that is enough.

Why it exists: it keeps the page of `spec` readable. It must never hold a default that needs the model's own numbers;
those are worked out in `fitting`.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.fields import LabelKey, LabelValue, Part, Quantity, bounded
from qwen_operator.core.resource.rules import rules

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


class Resources(Part, frozen=True, kw_only=True):
    """What one replica gets."""

    gpus: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=64,
                description="GPUs of one replica. Default: what parallelism multiplies to, else 1; none on CPU.",
            ),
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
    gpu_memory: (
        Annotated[
            Quantity,
            Meta(
                description="Memory of one GPU in bytes, for the check whether the model fits. Default: what nodes "
                "say, if the operator may read them, else that of gpuProduct, if it is known."
            ),
            bounded("resources.gpuMemory", "1Gi", "1Ti", "write a unit, such as 80Gi"),
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
                description="GPUs that split each layer. Default: what fits best; before the model's numbers are "
                "known, the GPUs of a pipeline stage.",
            ),
        ]
        | None
    ) = None
    pipeline: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=64,
                description="Stages that the layers are divided into. Default: what fits best; before the model's "
                "numbers are known, resources.gpus divided by tensor and data.",
            ),
        ]
        | None
    ) = None
    data: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=64,
                description="Ranks that each take requests of their own, with all layers but, in a model of experts, "
                "one set of experts together; each needs room for a whole request. Default: 1.",
            ),
        ]
        | None
    ) = None
    expert: Annotated[
        Literal["Auto", "Enabled", "Disabled"],
        Meta(
            description="Whether each GPU holds whole experts (Enabled) or a slice of every one (Disabled), for a "
            "model of experts. Default: Auto, Disabled unless only whole experts fit."
        ),
    ] = "Auto"


class Validation(Part, frozen=True, kw_only=True):
    """What is worked out before any GPU is used."""

    fit: Annotated[
        Literal["Enforce", "Warn", "Off"],
        Meta(
            description="What happens if the numbers say that the model does not fit on its GPUs: Enforce starts no "
            "replica, Warn only says so, Off does not judge. Default: Enforce."
        ),
    ] = "Enforce"
    headroom: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?%$",
            max_length=6,
            description="Share of a GPU's usable memory by which the estimate may be wrong: what reaches into it is "
            "Tight. Default: 3%.",
        ),
    ] = "3%"
