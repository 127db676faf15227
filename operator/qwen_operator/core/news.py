"""What of a new status is news to somebody who watches events: Ready turned, or a failure has another cause.

Why it exists: an event for every step of a start is noise, and none for a failure is silence. It must never hold more
than the condition Ready says.
"""

import hashlib
from dataclasses import dataclass

from qwen_operator.core import names
from qwen_operator.core.kinds import EVENT, QWEN_MODEL
from qwen_operator.core.problems import ON_THE_WAY
from qwen_operator.core.snapshot import Manifest

LONGEST_MESSAGE = 1024
"""Characters of an event's message (pkg/apis/core/validation/events.go)."""


@dataclass(frozen=True)
class News:
    """One thing to tell."""

    type: str
    """Normal or Warning."""
    reason: str
    message: str


def news(before: Manifest, after: Manifest) -> News | None:
    """What has changed between two documents of a status, if anybody should hear of it.

    A model that is looked at for the first time has not changed.
    """
    old, new = _ready(before), _ready(after)
    if not old or not new:
        return None
    turned = old["status"] != new["status"]
    if not turned and (old["reason"] == new["reason"] or new["reason"] in ON_THE_WAY):
        return None
    calm = new["status"] == "True" or new["reason"] in ON_THE_WAY
    return News("Normal" if calm else "Warning", new["reason"], new["message"])


def event(model: Manifest, told: News, first: str, last: str, count: int) -> Manifest:
    """The Event: one a model and reason, which later ones of the same kind are merged into.

    :param first, last: when it was first and last so, UTC in RFC 3339.
    """
    metadata = model["metadata"]
    mark = hashlib.sha256(f"{metadata['uid']}/{told.reason}".encode()).hexdigest()[:12]
    about = {field: metadata[field] for field in ("namespace", "name", "uid")}
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"namespace": metadata["namespace"], "name": f"{metadata['name']}.{mark}"},
        "involvedObject": {"apiVersion": QWEN_MODEL.api_version, "kind": QWEN_MODEL.kind, **about},
        "type": told.type,
        "reason": told.reason,
        "message": told.message[:LONGEST_MESSAGE],
        "source": {"component": names.FIELD_MANAGER},
        "reportingComponent": names.FIELD_MANAGER,
        "firstTimestamp": first,
        "lastTimestamp": last,
        "count": count,
    }


def _ready(status: Manifest) -> Manifest:
    conditions = status.get("conditions")
    if not isinstance(conditions, list):
        return {}
    found = (one for one in conditions if isinstance(one, dict) and one.get("type") == "Ready")
    one = next(found, {})
    return one if {"status", "reason", "message"} <= one.keys() else {}
