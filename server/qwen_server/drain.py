"""The server's life: starting, ready, draining, stopped, as a table; and the gate that asks it about each request.

The table is pure. It must never know sockets or signals: those live in serve.py.
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.types import ASGIApp, Receive, Scope, Send

from qwen_server.engine.base import ModelFacts
from qwen_server.errors import DRAINING, STARTING, ApiError
from qwen_server.exchange import Exchange, Interruption, exchange
from qwen_server.pace import Load


class Phase(StrEnum):
    """Where the server stands."""

    STARTING = "starting"
    READY = "ready"
    LEAVING = "leaving"
    """Not ready any more, but requests are still taken: endpoints need a moment to notice."""
    DRAINING = "draining"
    """New requests are refused, running ones finish."""
    STOPPED = "stopped"


class Event(StrEnum):
    """What moves the server on."""

    LOADED = "loaded"
    TERMINATE = "terminate"
    NOTICED = "noticed"
    """The time that endpoints need is over."""
    FINISHED = "finished"


TRANSITIONS: dict[tuple[Phase, Event], Phase] = {
    (Phase.STARTING, Event.LOADED): Phase.READY,
    (Phase.STARTING, Event.TERMINATE): Phase.STOPPED,
    (Phase.READY, Event.TERMINATE): Phase.LEAVING,
    (Phase.LEAVING, Event.NOTICED): Phase.DRAINING,
    (Phase.DRAINING, Event.FINISHED): Phase.STOPPED,
}


def following(phase: Phase, event: Event) -> Phase:
    """The phase after an event; an event that means nothing in a phase changes nothing."""
    return TRANSITIONS.get((phase, event), phase)


def refusal(phase: Phase) -> ApiError | None:
    """Why a request cannot be taken in this phase, or None."""
    if phase is Phase.STARTING:
        return ApiError(STARTING, "The model is still loading; try again in a few seconds.")
    if phase in (Phase.DRAINING, Phase.STOPPED):
        return ApiError(DRAINING, "The server is shutting down; send the request again.")
    return None


@dataclass(slots=True)
class Lifecycle:
    """The phase, the requests under way, what was seen of the load, and what the engine said of its model."""

    phase: Phase = Phase.STARTING
    facts: ModelFacts | None = None
    running: set[Exchange] = field(default_factory=set)
    load: Load = field(default_factory=Load)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def leaves(self) -> bool:
        """Whether clients had better ask another server from now on."""
        return self.phase in (Phase.LEAVING, Phase.DRAINING, Phase.STOPPED)

    def advance(self, event: Event) -> Phase:
        """Move on."""
        self.phase = following(self.phase, event)
        return self.phase

    def loaded(self, facts: ModelFacts) -> None:
        """The engine is up."""
        self.facts = facts
        self.advance(Event.LOADED)

    def enter(self, request: Exchange) -> None:
        """Count a request in."""
        self.running.add(request)
        self._idle.clear()

    def leave(self, request: Exchange) -> None:
        """Count it out."""
        self.running.discard(request)
        if not self.running:
            self._idle.set()

    async def idle(self, within: float) -> bool:
        """Wait until nothing runs; False if that took too long."""
        if not self.running:
            return True
        try:
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def interrupt(self, why: Interruption) -> int:
        """End what still runs; how many that were."""
        for request in list(self.running):
            request.interrupt(why)
        return len(self.running)


class Gate:
    """The layer that takes requests only while the server serves, and counts them."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ApiError (503) while starting or draining."""
        refused = refusal(self._lifecycle.phase)
        if refused is not None:
            raise refused
        request = exchange(scope)
        self._lifecycle.enter(request)
        try:
            await self._app(scope, receive, send)
        finally:
            self._lifecycle.leave(request)
