"""`spec.scheduling.affinity`: nodes by their labels, and places near other pods or away from them.

Why it exists: the shape is Kubernetes' own, bounded, and kept apart since it is long. It must never look into another
namespace than the model's.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.fields import LabelKey, LabelValue, Part
from qwen_operator.core.resource.rules import ATOMIC, rules
from qwen_operator.core.resource.selector import Selector

NODE_RULES = rules(
    (
        "(self.operator in ['In', 'NotIn']) ? (has(self.values) && self.values.size() > 0) : "
        "(self.operator in ['Gt', 'Lt']) ? (has(self.values) && self.values.size() == 1 && "
        "self.values[0].matches('^[0-9]{1,18}$')) : (!has(self.values) || self.values.size() == 0)",
        "matchExpressions[].values must be given with operator In or NotIn, one whole number with Gt or Lt, and left "
        "out with Exists or DoesNotExist",
    ),
)
TERM_RULES = rules(
    (
        "self.matchExpressions.size() > 0",
        "matchExpressions[] must hold something, since Kubernetes finds no node for nothing; leave the term out",
    ),
)
TERMS_RULES = rules(
    (
        "self.nodeSelectorTerms.size() > 0",
        "scheduling.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms must hold "
        "something, since Kubernetes finds no node for nothing; leave it out",
    ),
)

Weight = Annotated[
    int,
    Meta(ge=1, le=100, description="Share of this wish among all of them, 1 to 100: a node's points are added up."),
]


class NodeRequirement(Part, frozen=True, kw_only=True):
    """What a node's label must be."""

    key: Annotated[LabelKey, Meta(description="Key of the label.")]
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
        Meta(
            description="In and NotIn compare with values, Gt and Lt with one whole number, Exists and DoesNotExist "
            "ask only for the key."
        ),
    ]
    values: Annotated[
        tuple[LabelValue, ...],
        Meta(max_length=32, description="Values of the label. Default: none.", extra_json_schema=ATOMIC),
    ] = ()


class NodeTerm(Part, frozen=True, kw_only=True):
    """Nodes of which all of it is so."""

    match_expressions: Annotated[
        tuple[Annotated[NodeRequirement, Meta(extra_json_schema=NODE_RULES)], ...],
        Meta(max_length=16, description="What the node's labels must be.", extra_json_schema=ATOMIC),
    ]


class NodeTerms(Part, frozen=True, kw_only=True):
    """Nodes that are as one of the terms says."""

    node_selector_terms: Annotated[
        tuple[Annotated[NodeTerm, Meta(extra_json_schema=TERM_RULES)], ...],
        Meta(max_length=16, description="One of them must be so.", extra_json_schema=ATOMIC),
    ]


class PreferredNodes(Part, frozen=True, kw_only=True):
    """Nodes that are better than others."""

    weight: Weight
    preference: Annotated[NodeTerm, Meta(description="Which nodes.", extra_json_schema=TERM_RULES)]


class NodeAffinity(Part, frozen=True, kw_only=True):
    """Nodes by their labels."""

    required_during_scheduling_ignored_during_execution: Annotated[
        NodeTerms | None,
        Meta(
            description="Nodes that may run replicas. Default: all that nodeSelector allows.",
            extra_json_schema=TERMS_RULES,
        ),
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredNodes, ...],
        Meta(max_length=16, description="Nodes that are better than others. Default: none.", extra_json_schema=ATOMIC),
    ] = ()


class PodTerm(Part, frozen=True, kw_only=True):
    """Places with certain pods, of the model's own namespace."""

    label_selector: Annotated[Selector, Meta(description="Which pods; {} is every one.")]
    topology_key: Annotated[
        LabelKey,
        Meta(description="Node label whose values are the places, such as kubernetes.io/hostname."),
    ]


class PreferredPods(Part, frozen=True, kw_only=True):
    """Places that are better, or worse, than others."""

    weight: Weight
    pod_affinity_term: Annotated[PodTerm, Meta(description="Which places.")]


class PodAffinity(Part, frozen=True, kw_only=True):
    """Places by the pods that are there."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodTerm, ...],
        Meta(max_length=16, description="What must be so. Default: nothing.", extra_json_schema=ATOMIC),
    ] = ()
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredPods, ...],
        Meta(max_length=16, description="What is better than others. Default: nothing.", extra_json_schema=ATOMIC),
    ] = ()


class Affinity(Part, frozen=True, kw_only=True):
    """Where replicas may run, in Kubernetes' own words."""

    node_affinity: Annotated[NodeAffinity | None, Meta(description="Nodes by their labels. Default: none.")] = None
    pod_affinity: Annotated[PodAffinity | None, Meta(description="Places with certain pods. Default: none.")] = None
    pod_anti_affinity: Annotated[
        PodAffinity | None,
        Meta(
            description="Places without certain pods. A model's own replicas are better spread by "
            "topologySpreadConstraints, which don't stand in the way of a rollout. Default: none."
        ),
    ] = None
