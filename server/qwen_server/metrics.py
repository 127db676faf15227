"""The server's own metrics, beside whatever the engine puts into the same registry. docs/metrics.md lists them all.

A label must never hold content, a key or a client's address, and has few values: routes come from the list of routes,
keys by their name, everything else from an enumeration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from qwen_server.exchange import Exchange, Interruption

CLIENT_GONE = 499
"""nginx's status for an answer that nobody waited for; it is never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric as it is declared; a counter is shown with `_total` behind its name."""

    kind: type[Counter] | type[Gauge] | type[Histogram]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] | None = None

    def made(self, registry: CollectorRegistry) -> Any:
        """The metric itself."""
        more: dict[str, Any] = {} if self.buckets is None else {"buckets": self.buckets}
        return self.kind(self.name, self.help, self.labels, unit=self.unit, registry=registry, **more)


INFO = Series(
    kind=Gauge, name="qwen_server_info", help="Always 1; which release serves which model.", labels=("version", "model")
)
REQUESTS = Series(
    kind=Counter,
    name="qwen_server_requests",
    help="Requests that are over. Status 499: the client left before its answer began. Route `other`: refused before"
    " the path mattered, or no such path. No key: none that is valid.",
    labels=("route", "status", "key"),
)
RUNNING = Series(kind=Gauge, name="qwen_server_requests_running", help="Requests being answered.")
SECONDS = Series(
    kind=Histogram,
    name="qwen_server_request_seconds",
    help="From a request's arrival to the end of its answer.",
    labels=("route",),
    unit="seconds",
    buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
FIRST_OUTPUT = Series(
    kind=Histogram,
    name="qwen_server_first_output_seconds",
    help="From the arrival of a request for a stream to the engine's first output: the time to the first token.",
    labels=("route",),
    unit="seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0),
)
INTERRUPTED = Series(
    kind=Counter,
    name="qwen_server_interrupted",
    help=f"Answers that ended early: {', '.join(why.name.lower() for why in Interruption)}.",
    labels=("route", "reason"),
)
TOKENS = Series(
    kind=Counter,
    name="qwen_server_tokens",
    help="Tokens of prompts that reached the engine (kind `prompt`), and of completions (kind `completion`), those that"
    " were interrupted included.",
    labels=("route", "key", "kind"),
)
KEYS = Series(kind=Gauge, name="qwen_server_keys", help="API keys that are valid now.")
KEYS_FLAWED = Series(
    kind=Gauge,
    name="qwen_server_keys_flawed",
    help="1 while the directory of keys or a file in it cannot be used; the last good keys stay in force.",
)
KEY_RELOADS = Series(kind=Counter, name="qwen_server_key_reloads", help="Changes of the keys that were taken over.")

OWN = (INFO, REQUESTS, RUNNING, SECONDS, FIRST_OUTPUT, INTERRUPTED, TOKENS, KEYS, KEYS_FLAWED, KEY_RELOADS)
"""Every series of the server."""


class HttpMetrics:
    """What is counted of requests, by route, status and key name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = REQUESTS.made(registry)
        self._seconds = SECONDS.made(registry)
        self._running = RUNNING.made(registry)
        self._first_output = FIRST_OUTPUT.made(registry)
        self._interrupted = INTERRUPTED.made(registry)
        self._tokens = TOKENS.made(registry)

    def began(self) -> None:
        """A request has come in."""
        self._running.inc()

    def ended(self, exchange: Exchange, seconds: float) -> None:
        """It has been answered, or nobody waits for the answer any more."""
        self._running.dec()
        route, key = exchange.route, exchange.key_name
        self._requests.labels(route, str(exchange.status or CLIENT_GONE), key).inc()
        self._seconds.labels(route).observe(seconds)
        if exchange.first_output is not None:
            self._first_output.labels(route).observe(exchange.first_output - exchange.began)
        if exchange.interruption is not None:
            self._interrupted.labels(route, exchange.interruption.name.lower()).inc()
        if exchange.prompt_tokens:
            self._tokens.labels(route, key, "prompt").inc(exchange.prompt_tokens)
            self._tokens.labels(route, key, "completion").inc(exchange.completion_tokens)


def show_release(registry: CollectorRegistry, version: str, model: str) -> None:
    """Show what runs."""
    INFO.made(registry).labels(version, model).set(1)


def show_keys(registry: CollectorRegistry, valid: Callable[[], int], flawed: Callable[[], bool]) -> Callable[[], None]:
    """Show how many keys are valid and whether some cannot be used; returns what counts a change."""
    KEYS.made(registry).set_function(valid)
    KEYS_FLAWED.made(registry).set_function(flawed)
    count: Callable[[], None] = KEY_RELOADS.made(registry).inc
    return count
