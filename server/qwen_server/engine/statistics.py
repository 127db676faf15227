"""vLLM's own metrics in the server's registry, and the length of its queue.

vLLM counts into the process's global registry; what is shown is only what bears its name. It must never add a label.
"""

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

PREFIX = "vllm:"


class VllmMetrics(Collector):
    """The `vllm:*` series of the global registry, for another registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.queues: dict[int, int] = {}
        """Requests in the queue of each data-parallel rank's scheduler."""

    @property
    def waiting(self) -> int:
        """Requests in the queues of all schedulers."""
        return sum(self.queues.values())

    def register(self) -> None:
        """Show the series from now on: before the engine is loaded there are none."""
        if self._registry is not REGISTRY:
            self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """vLLM's series."""
        return (metric for metric in REGISTRY.collect() if metric.name.startswith(PREFIX))


def statistics_logger(statistics: VllmMetrics) -> Callable[[Any, int], Any]:
    """A factory for vLLM's hook: a logger that keeps the length of the queue and logs nothing."""
    from vllm.v1.metrics.loggers import StatLoggerBase

    class QueueLength(StatLoggerBase):  # type: ignore[misc]
        """Called with each step's statistics."""

        def __init__(self, vllm_config: Any, engine_index: int = 0) -> None:
            del vllm_config
            self._rank = engine_index

        def record(self, scheduler_stats: Any, iteration_stats: Any, *more: Any, **named: Any) -> None:
            """Keep the length of the queue."""
            del iteration_stats, more, named
            if scheduler_stats is not None:
                statistics.queues[self._rank] = scheduler_stats.num_waiting_reqs

        def log_engine_initialized(self) -> None:
            """Nothing to say."""

    return QueueLength
