"""The QwenModel as types: what the API server stores, decoded once and never changed.

Why it exists: a wrong type becomes one sentence that names the field, and everything behind `parse` may trust its
input. The CustomResourceDefinition is generated from the same types. It must never hold a default that depends on
anything but the field itself; those are worked out in `serving`.
"""

from typing import Any

import msgspec

from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource.spec import Spec

__all__ = ["InvalidResource", "Metadata", "QwenModel", "Spec", "parse"]


class Metadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What of an object's metadata a decision reads."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None


class QwenModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that somebody wants served."""

    metadata: Metadata
    spec: Spec
    status: dict[str, Any] = msgspec.field(default_factory=dict)
    """As last written; read for the times of its conditions, and for a cause that the kubelet has forgotten."""


class InvalidResource(Exception):  # noqa: N818  (it says what the object is)
    """The object does not have the shape of a QwenModel; `problem` names the field."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse(body: dict[str, Any]) -> QwenModel:
    """A QwenModel from decoded JSON. Fields that are not known are passed over, as the API server prunes them.

    :raises InvalidResource: naming the first field that is missing, of a wrong type or out of range.
    """
    try:
        return msgspec.convert(body, QwenModel)
    except msgspec.ValidationError as error:
        why, _, place = str(error).rpartition(" - at `$.")
        field, why = (place.rstrip("`"), why) if why else ("The object", str(error))
        raise InvalidResource(Reason.INVALID_SPEC.about(field=field, why=why)) from None
