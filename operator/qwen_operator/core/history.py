"""What stays to be seen after it is over: the last failure, and how long the last start took.

Why it exists: at night the pod that failed is gone or has recovered, and a person asks what it was. What was seen
before is read back from the status, as far as nothing newer is known. It must never decide what is done next.
"""

import contextlib
import math
from collections.abc import Iterator

import msgspec

from qwen_operator.core import experience, pods, revisions, weights
from qwen_operator.core.causes import ending
from qwen_operator.core.duration import between
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.pods import Ending
from qwen_operator.core.remembered import remembered
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.fit_report import Measured
from qwen_operator.core.resource.report import Condition, Failure, Revision, Timings
from qwen_operator.core.snapshot import Manifest, Snapshot

SIGNALLED = 128
"""Exit codes above are those of processes that a signal ended: the signal's number more."""


def last_failure(model: QwenModel, seen: Snapshot) -> Failure | None:
    """The failure that came last: of a pod that is still there, or as the status has kept it."""
    failed = ((pod, over) for pod in seen.pods if not pods.leaving(pod) and (over := pods.ending(pod)))
    known = [_failure(pod, over) for pod, over in failed]
    if before := remembered(model.status, Failure, "lastFailure"):
        known.insert(0, before)
    return max(known, key=lambda each: each.time, default=None)


def _failure(pod: Manifest, over: Ending) -> Failure:
    reason, why = ending.cause(over)
    return Failure(
        time=over.time,
        pod=pods.name(pod),
        node=pods.node(pod),
        reason=reason,
        exit_code=over.exit_code,
        signal=over.exit_code - SIGNALLED if over.exit_code > SIGNALLED else None,
        restarts=pods.restarts(pod),
        excerpt=why,
    )


def timings(model: QwenModel, seen: Snapshot) -> Timings | None:
    """How long the last successful start took, or None before there was any.

    What was worked out once stands as long as the same container runs: a pod that was not ready for a while has a later
    time of readiness, and has not started anew.
    """
    before = remembered(model.status, Timings, "timings")
    ready = [pod for pod in pods.newest(seen.pods) if pods.ready(pod) and pods.started_at(pod)]
    latest = max(ready, key=pods.started_at, default=None)
    if latest is None or (before and (before.pod, before.started_at) == (pods.name(latest), pods.started_at(latest))):
        return before
    return _timings(latest)


def _timings(pod: Manifest) -> Timings:
    """A container that was restarted was neither scheduled nor prepared for this start."""
    created, scheduled = pod["metadata"].get("creationTimestamp", ""), _since(pod, "PodScheduled")
    begun, ready = pods.started_at(pod), _since(pod, "Ready")
    first = pods.restarts(pod) == 0
    return Timings(
        pod=pods.name(pod),
        started_at=begun,
        scheduling=_seconds(created, scheduled) if first else None,
        preparation=_seconds(scheduled, begun) if first else None,
        engine_start=_seconds(begun, ready),
        total=_seconds(created if first else begun, ready),
    )


def measured(model: QwenModel, seen: Snapshot, layout: Layout | None, *, complete: bool) -> Measured | None:
    """What the engine of the least KV cache was seen to use, or as the status has kept it.

    :param layout: the one that was chosen.
    :param complete: all replicas run what was asked for last; else nobody knows of which spec a figure is.
    """
    known = [figures for figures in seen.figures if figures.cache_tokens or figures.load_seconds]
    if not known or not complete:
        return remembered(model.status, Measured, "measured")
    least = min(known, key=lambda each: each.cache_tokens or math.inf)
    return experience.came_to(model, layout, weights.told(model, seen), seen.nodes, least)


def revision(model: QwenModel, seen: Snapshot) -> Revision | None:
    """Which pod template replicas are brought to, which was the last to come up, and which was given up."""
    living, before = seen.deployment, remembered(model.status, Revision, "revision")
    current = pods.revision((living or {}).get("spec", {}).get("template", {"metadata": {}}))
    if living is None or not current:
        return before
    over, back = revisions.given_up(living), revisions.last_good(living)
    if over or revisions.complete(living):
        came_up: str | None = current
    else:
        came_up = pods.revision(back) if back else before.last_good if before else None
    return Revision(current=current, last_good=came_up, failed=over.revision if over else None)


def _since(pod: Manifest, condition: str) -> str:
    return str(pods.condition(pod, condition).get("lastTransitionTime", ""))


def _seconds(begin: str, end: str) -> int | None:
    """Whole seconds, which is all that Kubernetes keeps."""
    if not begin or not end:
        return None
    return max(0, int(between(begin, end)))


def conditions(status: Manifest) -> Iterator[Condition]:
    """Those of a status that can be read: it may have been written by another release, or by somebody's hand."""
    written = status.get("conditions")
    for entry in written if isinstance(written, list) else ():
        with contextlib.suppress(msgspec.ValidationError):
            yield msgspec.convert(entry, Condition)
