"""What goes wrong on purpose. Nothing does unless a test says so."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.operator_api.emulator.asking import Asked


class Strike(StrEnum):
    """When something befalls a call."""

    BEFORE = "before"
    """It never arrives."""
    AFTER = "after"
    """It is carried out, and its answer is lost."""
    INSTEAD = "instead"
    """It is refused."""


@dataclass
class Plan:
    """Something that befalls the n-th write, the Lease's not counted; n begins with 1."""

    number: int
    strike: Strike
    then: Callable[[], None] = lambda: None
    """What else happens at that moment, such as the end of the process that asked."""
    status: int = 500
    """Of the refusal, for `INSTEAD`."""
    writes: int = 0
    """How many writes there were so far."""
    struck: str = ""
    """The write that was hit, in words."""

    def befalls(self, asked: Asked) -> Strike | None:
        """Count a call; what befalls it, if anything."""
        if not asked.writes or asked.resource == "leases":
            return None
        self.writes += 1
        if self.writes != self.number:
            return None
        self.struck = f"{asked.verb} {asked.what} {asked.name}"
        return self.strike


@dataclass
class EventFaults:
    """Events of watches that are lost, doubled, or come late and so out of order; shares of 1."""

    chance: random.Random
    dropped: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    longest: float = 20.0
    """Seconds that an event is late at most."""
    counts: Counter[str] = field(default_factory=Counter)

    def delays(self) -> tuple[float, ...]:
        """Seconds after which the event arrives, once for each time that it does."""
        dice = self.chance.random()
        if dice < self.dropped:
            self.counts["dropped"] += 1
            return ()
        if dice < self.dropped + self.doubled:
            self.counts["doubled"] += 1
            return 0.0, self.chance.uniform(0, self.longest)
        if dice < self.dropped + self.doubled + self.delayed:
            self.counts["delayed"] += 1
            return (self.chance.uniform(0, self.longest),)
        return (0.0,)


@dataclass
class Faults:
    """Switches that the emulator reads at each request."""

    refuse: dict[tuple[str, str], int] = field(default_factory=dict)
    """HTTP status by (verb, resource); '*' stands for any."""
    times: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often an entry of `refuse` or `lose` holds; without one it holds until it is removed."""
    lose: set[tuple[str, str]] = field(default_factory=set)
    """Requests by (verb, resource) that are carried out and then answered by a 500, as if their answer was lost."""
    forbidden: set[str] = field(default_factory=set)
    """Namespaces in which everything is answered by a 403, as where the Role went with its namespace."""
    hang_up: bool = False
    """Every connection is cut without an answer, running watches too."""
    hangs: bool = False
    """Requests are accepted and never answered."""
    retry_after: int | None = None
    """Seconds that a refusal with 429 asks to wait."""
    stall: asyncio.Event | None = None
    """No list is answered before it is set."""
    silent: bool = False
    """Events are kept in history, but no running watch hears them."""
    half_open: set[str] = field(default_factory=set)
    """Resources whose watches say nothing any more, no bookmark either; '*' stands for any."""
    events: EventFaults | None = None
    plan: Plan | None = None
    behind: Callable[[str], int] | None = None
    """By resource: how many of its changes the answer to a list lacks."""

    def status(self, verb: str, resource: str) -> int | None:
        """The status to refuse this request with, or None."""
        for what in ((verb, resource), (verb, "*"), ("*", resource), ("*", "*")):
            if what in self.refuse and self._left(what):
                return self.refuse[what]
        return None

    def loses(self, verb: str, resource: str) -> bool:
        """Whether the answer of this request is lost."""
        return (verb, resource) in self.lose and self._left((verb, resource))

    def deaf(self, resource: str) -> bool:
        """Whether watches of this resource are half open."""
        return not self.half_open.isdisjoint((resource, "*"))

    def _left(self, what: tuple[str, str]) -> bool:
        if what not in self.times:
            return True
        self.times[what] -= 1
        return self.times[what] >= 0


@dataclass
class Traffic:
    """What was asked: requests by (verb, resource), refused ones included."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    listeners: list[Callable[[Asked, str], None]] = field(default_factory=list)
    """Told of each request as it arrives, with who asks."""

    def note(self, asked: Asked, agent: str) -> None:
        """A request has arrived."""
        self.requests[asked.verb, asked.what] += 1
        for listener in self.listeners:
            listener(asked, agent)

    def writes(self) -> int:
        """Writes of all resources but the Lease, which beats all the time."""
        return sum(
            count
            for (verb, resource), count in self.requests.items()
            if verb in ("create", "patch", "update", "delete") and resource != "leases"
        )

    def reads(self) -> int:
        """Gets and lists of all resources but the Lease."""
        return sum(
            count
            for (verb, resource), count in self.requests.items()
            if verb in ("get", "list") and resource != "leases"
        )
