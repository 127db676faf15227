"""The management listener: probes, progress and metrics, for kubelet and Prometheus, never in a Service.

It must never tell content or a key, because it asks for none; only /metrics names keys, by which it counts.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from qwen_server.drain import Lifecycle, Phase
from qwen_server.engine.base import Engine, Progress
from qwen_server.errors import METHOD_NOT_ALLOWED, NOT_FOUND, ApiError
from qwen_server.health import Condition, Pulse
from qwen_server.pace import seconds_left
from qwen_server.responses import JSON, refuse, respond

Answer = tuple[int, bytes]

PATHS: Mapping[str, str] = {
    "/startupz": "200 once the model is loaded, 503 before.",
    "/livez": "503 when the engine is dead, or silent for longer than the stall limit; 200 else, while it loads too.",
    "/readyz": "200 while new requests are welcome: loaded, not shutting down, and the engine answers.",
    "/progress": (
        "How far the load is, as JSON: `phase`, `stage`, `bytes_done` and `bytes_total` of weights, `percent`, "
        "`seconds_left` at the pace of the last half minute, `last_error`; once it is done, what it came to: "
        "`measured` with `cache_tokens` of a rank and `load_seconds`. What is unknown is null."
    ),
    "/metrics": "The server's metrics and vLLM's, as Prometheus reads them.",
}
"""Everything that is answered to GET, and what it says."""


def started(phase: Phase) -> Answer:
    """The engine is loaded."""
    return verdict(phase is not Phase.STARTING, f"The server is {phase}.")


def alive(phase: Phase, condition: Condition) -> Answer:
    """The engine is not dead: a restart would not help. One that loads gives no sign of life; its start has a watch."""
    if phase is Phase.STARTING:
        return verdict(True, f"The server is {phase}.")  # noqa: FBT003 - reads as a sentence
    return verdict(condition is not Condition.DEAD, f"The engine is {condition}.")


def ready(phase: Phase, condition: Condition) -> Answer:
    """New requests are welcome."""
    if phase is not Phase.READY:
        return verdict(False, f"The server is {phase}.")  # noqa: FBT003 - reads as a sentence
    return verdict(condition is Condition.LIVELY, f"The engine is {condition}.")


def verdict(good: bool, reason: str) -> Answer:  # noqa: FBT001
    """A probe's answer."""
    return (200 if good else 503), orjson.dumps({"ok": good, "reason": reason})


def load_progress(
    phase: Phase,
    progress: Progress,
    left: float | None = None,
    error: str | None = None,
    measured: Mapping[str, float | None] | None = None,
) -> Answer:
    """How far the load is, and what it came to. `left` is in seconds; what is unknown is null."""
    facts = {
        "phase": phase,
        "stage": progress.stage,
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "percent": progress.percent,
        "seconds_left": left,
        "last_error": error,
        "measured": measured,
    }
    return 200, orjson.dumps(facts)


def loading(lifecycle: Lifecycle, progress: Progress, now: float) -> Answer:
    """How far the load is at this time of the clock by which its bytes were counted."""
    load = lifecycle.load
    left, error = seconds_left(load.counts, progress, now), progress.error or load.last_error
    return load_progress(lifecycle.phase, progress, left, error, measured(lifecycle))


def measured(lifecycle: Lifecycle) -> dict[str, float | None] | None:
    """What the load came to; None before."""
    if lifecycle.facts is None:
        return None
    return {"cache_tokens": lifecycle.facts.cache_tokens, "load_seconds": lifecycle.load.seconds}


@dataclass(frozen=True, slots=True)
class Management:
    """Every path of the management port."""

    answers: Mapping[str, Callable[[], Answer]]
    registry: CollectorRegistry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; unknown paths and other methods get the envelope."""
        del receive  # No path takes a body.
        path, answer = scope["path"], self.answers.get(scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, ApiError(METHOD_NOT_ALLOWED, headers=[(b"allow", b"GET, HEAD")]))
        elif path == "/metrics":
            metrics = generate_latest(self.registry)
            await respond(send, metrics, content_type=(b"content-type", CONTENT_TYPE_LATEST.encode()))
        elif answer is not None:
            status, body = answer()
            await respond(send, body, status, content_type=JSON)
        else:
            await refuse(send, ApiError(NOT_FOUND))


def create_management(engine: Engine, lifecycle: Lifecycle, pulse: Pulse, registry: CollectorRegistry) -> ASGIApp:
    """The application of the management port."""
    return Management(
        {
            "/startupz": lambda: started(lifecycle.phase),
            "/livez": lambda: alive(lifecycle.phase, pulse.condition()),
            "/readyz": lambda: ready(lifecycle.phase, pulse.condition()),
            "/progress": lambda: loading(lifecycle, engine.progress(), asyncio.get_running_loop().time()),
        },
        registry,
    )
