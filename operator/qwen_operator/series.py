"""Every series that the operator shows of itself, in one list; docs/metrics.md is made from it.

A label must never hold the name of a model, a namespace or anything that a person wrote: each has few values.
"""

from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric as it is declared; a counter is shown with `_total` behind its name."""

    kind: type[Counter] | type[Gauge] | type[Histogram]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] | None = None

    def made(self, registry: CollectorRegistry) -> Any:
        """The metric itself."""
        more: dict[str, Any] = {} if self.buckets is None else {"buckets": self.buckets}
        return self.kind(self.name, self.help, self.labels, registry=registry, **more)


REQUESTS = Series(
    kind=Counter,
    name="qwen_operator_api_requests",
    help="Requests to the API server by verb, resource and HTTP status. Status 0: no answer.",
    labels=("verb", "resource", "status"),
)
REQUEST_SECONDS = Series(
    kind=Histogram,
    name="qwen_operator_api_request_seconds",
    help="Time to the head of the API server's answer; watches are left out.",
    labels=("verb",),
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
)
STEPS = Series(
    kind=Counter,
    name="qwen_operator_steps",
    help="Children written: verb apply, create or delete, by kind.",
    labels=("verb", "kind"),
)
FAILURES = Series(
    kind=Counter,
    name="qwen_operator_step_failures",
    help="Children that could not be written, by verb, kind and reason; reasons are those of conditions.",
    labels=("verb", "kind", "reason"),
)
RECONCILE_SECONDS = Series(
    kind=Histogram,
    name="qwen_operator_reconcile_seconds",
    help="Time of one look at a model by result. settled: all is as asked, or waits for somebody else; unfinished: it"
    " is tried again with growing pauses; defect: an unforeseen error, each is worth a report.",
    labels=("result",),
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
MODELS = Series(kind=Gauge, name="qwen_operator_models", help="QwenModels known.")
DEPTH = Series(kind=Gauge, name="qwen_operator_queue_depth", help="Models that wait for a worker.")
OLDEST = Series(
    kind=Gauge,
    name="qwen_operator_queue_oldest_seconds",
    help="How long the model waits that has waited longest for a worker; 0 if none does.",
)
SILENCE = Series(
    kind=Gauge,
    name="qwen_operator_watch_silence_seconds",
    help="Time since the API server last said anything on a watch, bookmarks included, by resource: of the watch that"
    " is silent for longest. Bookmarks come about once a minute.",
    labels=("resource",),
)
BLIND = Series(
    kind=Gauge,
    name="qwen_operator_watches_forbidden",
    help="Watches that the API server forbids, by resource; what they would show is taken as unknown.",
    labels=("resource",),
)
LEADING = Series(kind=Gauge, name="qwen_operator_leading", help="1 while this process holds the Lease.")
LEASE = Series(
    kind=Gauge,
    name="qwen_operator_lease_seconds",
    help="How long this process may go on writing if it cannot renew the Lease; 0 without it.",
)
LAG = Series(
    kind=Gauge,
    name="qwen_operator_loop_lag_seconds",
    help="How late the event loop was, the worst of the last seconds.",
)
OUT_OF_SIGHT = Series(
    kind=Gauge,
    name="qwen_operator_namespaces_out_of_sight",
    help="Namespaces to serve whose QwenModels may not be listed.",
)

OWN = (
    REQUESTS,
    REQUEST_SECONDS,
    STEPS,
    FAILURES,
    RECONCILE_SECONDS,
    MODELS,
    DEPTH,
    OLDEST,
    SILENCE,
    BLIND,
    LEADING,
    LEASE,
    LAG,
    OUT_OF_SIGHT,
)
"""All of them, in the order of the page."""
