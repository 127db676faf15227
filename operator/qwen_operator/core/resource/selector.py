"""Selectors of labels, in Kubernetes' own shape and bounded: which pods, or which namespaces.

Why it exists: several fields choose objects by their labels. It must never name an object itself, since a name says
nothing about who stands behind it.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from qwen_operator.core.resource.fields import LabelKey, LabelValue, Part
from qwen_operator.core.resource.rules import ATOMIC, rules

REQUIREMENT_RULES = rules(
    (
        "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
        "matchExpressions[].values must be given with operator In or NotIn, and left out with Exists or DoesNotExist",
    ),
)


class Requirement(Part, frozen=True, kw_only=True):
    """What a label must be."""

    key: Annotated[LabelKey, Meta(description="Key of the label.")]
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist"],
        Meta(description="In and NotIn compare with values, Exists and DoesNotExist ask only for the key."),
    ]
    values: Annotated[
        tuple[LabelValue, ...],
        Meta(
            max_length=32, description="Values of the label, for In and NotIn. Default: none.", extra_json_schema=ATOMIC
        ),
    ] = ()


class Selector(Part, frozen=True, kw_only=True):
    """Objects whose labels are so; empty for all of them."""

    match_labels: Annotated[
        dict[str, LabelValue], Meta(max_length=32, description="Labels with their values. Default: none.")
    ] = field(default_factory=dict)
    match_expressions: Annotated[
        tuple[Annotated[Requirement, Meta(extra_json_schema=REQUIREMENT_RULES)], ...],
        Meta(max_length=16, description="What else must be so. Default: nothing.", extra_json_schema=ATOMIC),
    ] = ()
