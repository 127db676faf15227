"""Everything that one run of the operator consists of, put together.

Why it exists: each part gets what it needs as an argument, and this is the only place that knows them all. It must
never start anything.
"""

import asyncio
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from qwen_operator import handlers, liveness, series
from qwen_operator.announcer import Announcer
from qwen_operator.api_key import new_key
from qwen_operator.caches import Caches
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds, names
from qwen_operator.core.kinds import Kind, Scope
from qwen_operator.core.settings import Settings
from qwen_operator.credentials import Credentials
from qwen_operator.executor import Executor
from qwen_operator.informer import Informer
from qwen_operator.inquiry import Inquiry
from qwen_operator.keys import Key
from qwen_operator.lease import Lease
from qwen_operator.liveness import Start
from qwen_operator.nodes import Nodes
from qwen_operator.observe import Complaint, LoopLag, Metrics
from qwen_operator.reconcile import Reconciler
from qwen_operator.transport import Transport
from qwen_operator.workqueue import WorkQueue


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one run."""

    settings: Settings
    metrics: Metrics
    transport: Transport
    cluster: Cluster
    lease: Lease
    queue: WorkQueue
    caches: Caches
    inquiry: Inquiry
    nodes: Nodes | None
    """None where nodes are not to be read."""
    informers: tuple[Informer, ...]
    out_of_sight: set[str]
    """Namespaces to serve in which we may not list QwenModels."""
    start: Start
    lag: LoopLag
    alive: list[Complaint]
    ready: list[Complaint]

    @property
    def namespaces(self) -> tuple[str | None, ...]:
        """Those to watch one by one; a single None means all at once."""
        return self.settings.watch_namespaces or (None,)


Now = Callable[[], datetime.datetime]


def utc_now() -> datetime.datetime:
    """The present time by the wall clock."""
    return datetime.datetime.now(datetime.UTC)


def assembled(settings: Settings, credentials: Credentials, identity: str, now: Now = utc_now) -> Parts:
    """The parts, knowing one another.

    :param identity: who holds the Lease: a name that no other running process has.
    :param now: the wall clock, for what people read; nothing waits by it.
    """
    metrics, lag, start, clock = Metrics(), LoopLag(), Start(), asyncio.get_running_loop().time
    out_of_sight: set[str] = set()

    def stamp() -> str:
        return now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def may_write() -> bool:
        return lease.held()

    def time_to_write() -> float:
        return lease.time_to_write()

    async def attempt(key: Key) -> float | None:
        return await reconciler.reconcile(key)

    transport = Transport(credentials, metrics, may_write, time_to_write=time_to_write)
    cluster = Cluster(transport)
    lease = Lease(cluster, settings.namespace, names.LEASE, identity, now=now)
    queue = WorkQueue(attempt, ended=metrics.ended)
    caches = Caches(queue)
    executor = Executor(cluster, caches, metrics, new_key)
    reconciler = Reconciler(cluster, caches, executor, Announcer(cluster, stamp, clock), settings, stamp)
    informers = tuple(
        _informer(cluster, caches, kind, namespace)
        for kind in kinds.WATCHED
        for namespace in settings.watch_namespaces or (None,)
    )
    _gauges(metrics, queue, caches, lease)
    _watches(metrics, informers, transport)
    metrics.gauge(series.LAG, lambda: lag.worst)
    metrics.gauge(series.OUT_OF_SIGHT, lambda: len(out_of_sight))
    return Parts(
        settings=settings,
        metrics=metrics,
        transport=transport,
        cluster=cluster,
        lease=lease,
        queue=queue,
        caches=caches,
        inquiry=Inquiry(caches.loads, may_write),
        nodes=Nodes(cluster, caches.saw_nodes) if settings.read_nodes else None,
        informers=informers,
        out_of_sight=out_of_sight,
        start=start,
        lag=lag,
        alive=liveness.alive(start, informers, queue, lag, handlers.is_watching, transport.models.silence),
        ready=liveness.ready(informers),
    )


def _informer(cluster: Cluster, caches: Caches, kind: Kind, namespace: str | None) -> Informer:
    def on_sight(sentence: str | None) -> None:
        caches.on_sight(kind, namespace, sentence)

    selector = names.OURS if kind.scope is Scope.OURS else ""
    return Informer(cluster, kind, namespace, caches.of[kind], selector=selector, on_sight=on_sight)


def _gauges(metrics: Metrics, queue: WorkQueue, caches: Caches, lease: Lease) -> None:
    metrics.gauge(series.MODELS, lambda: len(caches.models))
    metrics.gauge(series.DEPTH, lambda: queue.depth)
    metrics.gauge(series.OLDEST, queue.oldest_wait)
    metrics.gauge(series.LEADING, lambda: float(lease.held()))
    metrics.gauge(series.LEASE, lease.remaining)


def _watches(metrics: Metrics, informers: tuple[Informer, ...], transport: Transport) -> None:
    """One value a resource, whatever the number of namespaces."""
    metrics.gauge(series.SILENCE, transport.models.silence, resource=kinds.QWEN_MODEL.plural)
    for kind in kinds.WATCHED:
        watching = tuple(informer for informer in informers if informer.kind == kind)
        metrics.gauge(series.SILENCE, partial(_silence, watching), resource=kind.plural)
        metrics.gauge(series.BLIND, partial(_blind, watching), resource=kind.plural)


def _silence(watching: tuple[Informer, ...]) -> float:
    return asyncio.get_running_loop().time() - min(informer.heard_at for informer in watching)


def _blind(watching: tuple[Informer, ...]) -> int:
    return sum(informer.blind is not None for informer in watching)
