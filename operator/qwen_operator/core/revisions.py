"""What a Deployment tells of its pod templates: the one to return to, the one that was given up, whether all is done.

Why it exists: what a rollout has to remember stands on the Deployment, since it is written together with the template
and outlives a crash and a lost status. It must never be read from anywhere else.
"""

from typing import Any

import msgspec

from qwen_operator.core import names
from qwen_operator.core.snapshot import Manifest

LONGEST_CAUSE = 600
"""Characters of a failure's message that are kept: with what stands around them they fit into a condition."""


COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


class GivenUp(msgspec.Struct, frozen=True):
    """Which revision was given up, and why: the content of an annotation."""

    revision: str
    reason: str
    message: str

    def written(self) -> dict[str, str]:
        """The annotation of a Deployment that is returned to its last good template."""
        return {names.GIVEN_UP: msgspec.json.encode(self).decode()}


def given_up(living: Manifest | None) -> GivenUp | None:
    """What the Deployment says of a revision that was given up."""
    try:
        return msgspec.json.decode(annotation(living, names.GIVEN_UP), type=GivenUp)
    except msgspec.DecodeError:
        return None


def last_good(living: Manifest | None) -> Manifest | None:
    """The template to return to, while a rollout is under way."""
    try:
        return msgspec.json.decode(annotation(living, names.LAST_GOOD), type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def complete(living: Manifest) -> bool:
    """Whether there are replicas, and every one is of the living template, and answers."""
    wanted = living["spec"].get("replicas", 1)
    counts = {living.get("status", {}).get(count, 0) for count in COUNTS}
    return observed(living) and wanted > 0 and counts == {wanted}


def grace(template: Manifest) -> int:
    """Seconds that pods of a template may take to end."""
    return int(template["spec"].get("terminationGracePeriodSeconds", 0))


def annotation(living: Manifest | None, name: str) -> str:
    """One of a Deployment's annotations, or nothing."""
    return str(((living or {}).get("metadata", {}).get("annotations") or {}).get(name, ""))


def observed(living: Manifest) -> bool:
    """Whether its status is about its present spec."""
    seen = living.get("status", {}).get("observedGeneration", 0)
    return bool(seen >= living.get("metadata", {}).get("generation", 1))


def way_back(template: Manifest) -> dict[str, str]:
    """The annotation of a Deployment whose template is replaced."""
    return {names.LAST_GOOD: msgspec.json.encode(template).decode()}
