"""The server's own metrics, beside whatever the engine puts into the same registry.

A label must never hold content, a key or a client's address: routes come from the list of routes, keys by their name.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from qwen_server.exchange import Exchange

SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
CLIENT_GONE = 499
"""nginx's status for an answer that nobody waited for; it is never sent."""


class HttpMetrics:
    """Requests by route, status and key name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "qwen_server_requests", "Requests answered.", ["route", "status", "key"], registry=registry
        )
        self._seconds = Histogram(
            "qwen_server_request_seconds",
            "Until the answer was complete.",
            ["route"],
            registry=registry,
            buckets=SECONDS,
        )
        self._running = Gauge("qwen_server_requests_running", "Requests being answered.", registry=registry)

    def began(self) -> None:
        """A request has come in."""
        self._running.inc()

    def ended(self, exchange: Exchange, seconds: float) -> None:
        """It has been answered, or nobody waits for the answer any more."""
        self._running.dec()
        status = str(exchange.status or CLIENT_GONE)
        self._requests.labels(exchange.route, status, exchange.key_name).inc()
        self._seconds.labels(exchange.route).observe(seconds)
