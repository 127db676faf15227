"""`spec.cache` and `spec.disruption`: where weights are kept, and what may take replicas away.

Why it exists: it keeps the page of `spec` readable. It must never name a place that the model's own namespace does not
hold.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.fields import AMOUNT, Name, Part, Quantity, bounded
from qwen_operator.core.resource.rules import rules

CACHE_RULES = rules(
    (
        "!has(self.claimName) || !(has(self.storageClassName) || has(self.size) || self.accessMode != 'Auto')",
        "cache.claimName names a claim that is there; storageClassName, size and accessMode are for one that is made",
    ),
)

NEVER_LESS = (
    f"{AMOUNT}.compareTo(quantity(string(oldSelf))) >= 0",
    "cache.size can't become less, since no claim shrinks; to begin anew take it out, delete the claim, set it again",
)

AccessMode = Literal["Auto", "ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]


class Credentials(Part, frozen=True, kw_only=True):
    """A Secret in the model's namespace that opens the source. Nothing else ever reads it."""

    name: Annotated[Name, Meta(description="Name of the Secret.")]
    key: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]+$",
            max_length=253,
            description="Entry that holds the token of hf://. For s3:// the entries AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION are read. Default: token.",
        ),
    ] = "token"


class Cache(Part, frozen=True, kw_only=True):
    """Where weights of hf:// and s3:// are kept; pvc:// needs none of it."""

    claim_name: (
        Annotated[
            Name,
            Meta(
                description="A PersistentVolumeClaim of the same namespace to fetch into; several models may name the "
                "same one. Default: one is made."
            ),
        ]
        | None
    ) = None
    storage_class_name: (
        Annotated[
            Name,
            Meta(description="StorageClass of the claim that is made; fixed from then on. Default: the cluster's own."),
        ]
        | None
    ) = None
    size: (
        Annotated[
            Quantity,
            Meta(
                description="Size of the claim that is made, in bytes; may grow, never shrink. Default: the weights' "
                "bytes, which a short Job asks the source for, and a tenth more."
            ),
            bounded("cache.size", "1Gi", "100Ti", "write a unit, such as 550Gi", NEVER_LESS),
        ]
        | None
    ) = None
    access_mode: Annotated[
        AccessMode,
        Meta(
            description="Access mode of the claim that is made; fixed from then on. Default: Auto, ReadWriteMany for "
            "several replicas, else ReadWriteOnce."
        ),
    ] = "Auto"
    retain: Annotated[
        Literal["Retain", "Delete"],
        Meta(description="What becomes of the claim that was made when the model is deleted. Default: Retain."),
    ] = "Retain"
    verify: Annotated[
        Literal["Size", "Checksum"],
        Meta(
            description="How files that are there already are compared with what was verified when they came. Default: "
            "Size; Checksum reads all of them."
        ),
    ] = "Size"


class Disruption(Part, frozen=True, kw_only=True):
    """What may take replicas away."""

    pod_disruption_budget: Annotated[
        Literal["Auto", "None"],
        Meta(
            description="Auto lets a drain take one replica at a time where there are several; of a single one no "
            "budget is made, since it would hold the node for good. Default: Auto."
        ),
    ] = "Auto"
