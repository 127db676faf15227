"""What goes wrong on purpose. Nothing does unless a test says so."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field


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
    stall: asyncio.Event | None = None
    """No list is answered before it is set."""
    silent: bool = False
    """Events are kept in history, but no running watch hears them."""

    def status(self, verb: str, resource: str) -> int | None:
        """The status to refuse this request with, or None."""
        for what in ((verb, resource), (verb, "*"), ("*", resource), ("*", "*")):
            if what in self.refuse and self._left(what):
                return self.refuse[what]
        return None

    def loses(self, verb: str, resource: str) -> bool:
        """Whether the answer of this request is lost."""
        return (verb, resource) in self.lose and self._left((verb, resource))

    def _left(self, what: tuple[str, str]) -> bool:
        if what not in self.times:
            return True
        self.times[what] -= 1
        return self.times[what] >= 0


@dataclass
class Traffic:
    """What was asked: requests by (verb, resource), refused ones included."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)

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
