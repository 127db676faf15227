"""`spec.scheduling`: which nodes may run the replicas.

Why it exists: these shapes are Kubernetes' own, bounded. It must never hold a field that changes what a pod may do.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from qwen_operator.core.resource.affinity import Affinity
from qwen_operator.core.resource.fields import LabelKey, LabelValue, Name, Part
from qwen_operator.core.resource.rules import ATOMIC, keyed_by, rules


class Toleration(Part, frozen=True, kw_only=True):
    """A taint that the replicas put up with."""

    key: Annotated[LabelKey, Meta(description="Key of the taint. Default: every key, with operator Exists.")] | None = (
        None
    )
    operator: Annotated[
        Literal["Equal", "Exists"],
        Meta(description="Equal compares value too, Exists asks only for the key. Default: Equal."),
    ] = "Equal"
    value: Annotated[LabelValue, Meta(description="Value of the taint, for operator Equal. Default: empty.")] | None = (
        None
    )
    effect: (
        Annotated[
            Literal["NoSchedule", "PreferNoSchedule", "NoExecute"],
            Meta(description="Effect of the taint. Default: every effect."),
        ]
        | None
    ) = None
    toleration_seconds: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=31_536_000,
                description="Seconds for which effect NoExecute is put up with. Default: for ever.",
            ),
        ]
        | None
    ) = None


class Spread(Part, frozen=True, kw_only=True):
    """How replicas are spread over nodes or zones."""

    topology_key: Annotated[
        LabelKey, Meta(description="Node label whose values are the places, such as topology.kubernetes.io/zone.")
    ]
    max_skew: Annotated[
        int, Meta(ge=1, le=1000, description="How many replicas two places may differ by. Default: 1.")
    ] = 1
    when_unsatisfiable: Annotated[
        Literal["DoNotSchedule", "ScheduleAnyway"],
        Meta(description="What to do when no place keeps to maxSkew. Default: DoNotSchedule."),
    ] = "DoNotSchedule"


TOLERATION_RULES = rules(
    (
        "!has(self.value) || self.value == '' || self.operator == 'Equal'",
        "scheduling.tolerations[].value must be left out with operator Exists",
    ),
    (
        "has(self.key) || self.operator == 'Exists'",
        "scheduling.tolerations[].key is needed unless operator is Exists",
    ),
    (
        "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        "scheduling.tolerations[].tolerationSeconds is only for effect NoExecute",
    ),
)


class Scheduling(Part, frozen=True, kw_only=True):
    """Which nodes may run the replicas."""

    node_selector: Annotated[
        dict[str, LabelValue],
        Meta(max_length=32, description="Labels that a node must have. Default: none beyond resources.gpuProduct."),
    ] = field(default_factory=dict)
    tolerations: Annotated[
        tuple[Annotated[Toleration, Meta(extra_json_schema=TOLERATION_RULES)], ...],
        Meta(
            max_length=32,
            description="Taints that the replicas put up with. Default: the one named like resources.gpuResourceName, "
            "which is always added on GPU.",
            extra_json_schema=ATOMIC,
        ),
    ] = ()
    topology_spread_constraints: Annotated[
        tuple[Spread, ...],
        Meta(
            max_length=8,
            description="How this model's replicas are spread. Default: as the cluster's scheduler does.",
            extra_json_schema=keyed_by("topologyKey", "whenUnsatisfiable"),
        ),
    ] = ()
    affinity: Annotated[
        Affinity | None,
        Meta(description="Where replicas may run, in Kubernetes' own words. Default: anywhere that the rest allows."),
    ] = None
    scheduler_name: (
        Annotated[
            Name,
            Meta(
                description="Scheduler that places the replicas, such as one that queues them. Default: Kubernetes' "
                "own, default-scheduler."
            ),
        ]
        | None
    ) = None
    priority_class_name: (
        Annotated[Name, Meta(description="PriorityClass of the replicas. Default: the cluster's default.")] | None
    ) = None
    runtime_class_name: (
        Annotated[
            Name, Meta(description="RuntimeClass of the replicas, such as nvidia. Default: the node's own runtime.")
        ]
        | None
    ) = None
