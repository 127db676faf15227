"""The shapes that several fields share: names, texts, quantities, labels.

Why it exists: a bound typed in two places drifts. It must never hold a shape that only one field has.
"""

from typing import Annotated

from msgspec import Meta, Struct

from qwen_operator.core.resource.rules import rules


class Part(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A piece of the resource: immutable, given by name, camelCase outside."""


Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", min_length=1, max_length=253)]
"""Name of another object: a DNS subdomain."""

LabelKey = Annotated[
    str, Meta(pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", max_length=317)
]
"""Key of a label, taint or annotation, with its optional prefix."""

LabelValue = Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$", max_length=63)]
"""Value of a label; may be empty."""

Quantity = (
    Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,3})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$", max_length=20)]
    | Annotated[int, Meta(ge=0, le=2**50)]
)
"""An amount as Kubernetes writes it (500m, 4, 16Gi), given as a string or a whole number."""


Duration = Annotated[str, Meta(pattern=r"^([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$", min_length=2, max_length=20)]
"""A span of time in hours, minutes and seconds, such as 90s, 5m or 1h30m."""


def lasting(name: str, least: str, most: str) -> Meta:
    """Limits of a span of time, as a rule whose message names them."""
    within = f"duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    return Meta(extra_json_schema=rules((within, f"{name} must be from {least} to {most}, such as 90s or 5m")))


AMOUNT = "quantity(string(self))"


def bounded(name: str, least: str, most: str, hint: str, *more: tuple[str, str]) -> Meta:
    """Limits of a quantity, as a rule whose message says what to write instead; and more rules about it."""
    within = f"{AMOUNT}.compareTo(quantity('{least}')) >= 0 && {AMOUNT}.compareTo(quantity('{most}')) <= 0"
    return Meta(extra_json_schema=rules((within, f"{name} must be from {least} to {most}; {hint}"), *more))
