"""A server as one value, of which a test says only what it varies."""

import asyncio
import hashlib
import io
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import ASGIApp

from qwen_server.api.service import Service
from qwen_server.app import create_app
from qwen_server.auth import KeyRing
from qwen_server.drain import Lifecycle
from qwen_server.engine.base import Engine, ModelFacts
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.health import Pulse
from qwen_server.journal import Journal
from qwen_server.keyfiles import Key
from qwen_server.limits import Limits
from qwen_server.management import create_management
from qwen_server.metrics import HttpMetrics
from qwen_server.parsers import Parsers
from tests.server_unit.described import obeys

KEY = "visible-fake-key-of-alice"
CREATED = 1754001981
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}


class Metronome:
    """Time that passes for a scripted engine only when the test says so."""

    def __init__(self) -> None:
        self._ticks = asyncio.Semaphore(0)
        self.total = 0
        self._changed = asyncio.Condition()

    async def sleep(self, seconds: float) -> None:
        """Wait for the next tick, however long that is."""
        async with self._changed:
            self.total += 1
            self._changed.notify_all()
        await self._ticks.acquire()

    def tick(self, times: int = 1) -> None:
        """Let so many waits end."""
        for _ in range(times):
            self._ticks.release()

    async def asked(self, times: int) -> None:
        """Return once the engine has begun to wait so many times in all."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.total >= times)


@dataclass(frozen=True)
class AServer:
    """The parts of one server that tests look at."""

    app: ASGIApp
    management: ASGIApp
    engine: Engine
    lifecycle: Lifecycle
    pulse: Pulse
    ring: KeyRing
    registry: CollectorRegistry
    written: io.StringIO

    def journal(self) -> list[dict[str, Any]]:
        """Every line the server wrote about itself."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    def metrics(self) -> str:
        """What Prometheus would read."""
        return generate_latest(self.registry).decode()

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A caller of the API, with a valid key unless it is told otherwise; every answer must be as described."""
        chosen = AUTHORIZED if headers is None else headers
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://server",
            headers=chosen,
            event_hooks={"response": [obeys]},
        )

    def prober(self) -> httpx.AsyncClient:
        """A caller of the management port."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.management), base_url="http://server")


def a_server(
    script: Script | None = None,
    engine: Engine | None = None,
    *,
    keys: dict[str, str] | None = None,
    context: int = 200_000,
    clamp: bool = False,
    loaded: bool = True,
    limits: Limits | None = None,
    stall_timeout: float = 600.0,
    served_name: str = "qwen3",
    parsers: Parsers | None = None,
) -> AServer:
    """A server that is ready, with the key of `alice`, unless the test varies that."""
    chosen = engine or ScriptedEngine(script)
    lifecycle, pulse, written, registry = Lifecycle(), Pulse(stall_timeout), io.StringIO(), CollectorRegistry()
    journal = Journal(written, now=lambda: "2026-01-01T00:00:00.000Z")
    ring = KeyRing(Path("/no/such/directory"), journal)
    ring.keys = {name: Key(hashlib.sha256(key.encode()).digest()) for name, key in (keys or {"alice": KEY}).items()}
    if loaded:
        template = script.chat_template if script else ""
        lifecycle.loaded(ModelFacts(context_length=context, architecture="Scripted", chat_template=template))
    service = Service(
        served_name=served_name,
        version="0.0.0",
        created=CREATED,
        clamp=clamp,
        engine=chosen,
        lifecycle=lifecycle,
        pulse=pulse,
        journal=journal,
        now=lambda: CREATED,
        limits=limits or Limits(),
        parsers=parsers or Parsers(),
    )
    numbers = itertools.count(1)
    app = create_app(service, ring, HttpMetrics(registry), lambda: f"{next(numbers):024x}")
    management = create_management(chosen, lifecycle, pulse, registry)
    return AServer(app, management, chosen, lifecycle, pulse, ring, registry, written)


def a_chat(content: str = "Hello, how are you?", **fields: object) -> dict[str, object]:
    """The body of a chat request."""
    return {"model": "qwen3", "messages": [{"role": "user", "content": content}], **fields}


def a_completion(prompt: object = "The capital of France is", **fields: object) -> dict[str, object]:
    """The body of a text completion request."""
    return {"model": "qwen3", "prompt": prompt, **fields}


def events(text: str) -> list[Any]:
    """The events of a stream: JSON, or the word that ends it."""
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def said(stream: list[Any], index: int = 0) -> str:
    """The text of one choice of a streamed chat."""
    choices = [choice for event in stream if event != "[DONE]" for choice in event.get("choices", [])]
    return "".join(choice["delta"].get("content", "") for choice in choices if choice["index"] == index)
