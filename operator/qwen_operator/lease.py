"""One writer at a time: a Lease that this process holds, or waits for.

Why it exists: two operators that write would undo each other's work, and a rolling update always has two. The rules
are those of client-go's leader election with its gaps closed: monotonic time only, a deadline on every request, counted
from before a renewal is sent, and release at a clean stop. It must never say "held" after the local deadline.
"""

import asyncio
import datetime
import logging
import random
from collections.abc import Callable
from typing import Any, NoReturn

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import Conflict, NotFound, Refusal

DURATION = 15
"""Seconds that others wait after the last change they saw before they take over."""
RENEW = 3.0
"""Seconds between renewals."""
ATTEMPT = 2.0
"""Seconds that one request may take."""
DEADLINE = 10.0
"""Seconds after the start of the last good renewal when we stop writing; 5 before anyone else may start."""
SPARE = 1.0
"""Seconds between the end of the last write of one holder and the earliest of the next."""
RETRY = 2.0
"""Seconds between two looks at a Lease that somebody else holds."""

log = logging.getLogger(__name__)


class LeaseLost(Exception):  # noqa: N818  (what happened, told to the caller)
    """The Lease was held and is not any more; the process must end and start anew."""


class Lease:
    """The Lease `name` in `namespace`.

    :param identity: of this process; unique, else two would think that they hold it.
    :param now: wall-clock time for the two fields that people read; nothing is decided by it.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        identity: str,
        *,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._now = now
        self._spread = spread
        self._held_until = float("-inf")
        self._mine: Manifest | None = None
        self._seen: tuple[Any, ...] | None = None
        self._seen_at = 0.0
        self.acquired = asyncio.Event()

    def held(self) -> bool:
        """Whether this process may write at this moment."""
        return asyncio.get_running_loop().time() < self._held_until

    def remaining(self) -> float:
        """Seconds for which this process may still write if it can't renew it; 0 without it."""
        return max(0.0, self._held_until - asyncio.get_running_loop().time())

    def time_to_write(self) -> float:
        """Seconds that a write which begins now may be under way, so that it ends before anyone else's begins.

        A renewal that started `DEADLINE` before the local end is what others count their `DURATION` from, or later.
        """
        return max(0.0, self._held_until + DURATION - DEADLINE - SPARE - asyncio.get_running_loop().time())

    async def run(self) -> NoReturn:
        """Wait for the Lease, set `acquired`, and keep it.

        :raises LeaseLost: somebody else has it, or it could not be renewed before the local deadline.
        """
        while not await self._attempt():
            await self._sleep(RETRY)
        self.acquired.set()
        log.info("the Lease %s/%s is ours", self._namespace, self._name)
        while True:
            await self._sleep(RENEW)
            if not await self._attempt() and not self.held():
                raise LeaseLost(f"The Lease {self._namespace}/{self._name} is lost; starting anew.")

    async def release(self) -> None:
        """Give it up at a clean stop, so that the next one needs not wait. Failing to is no harm: it runs out."""
        if not self.held():
            return
        self._held_until = float("-inf")
        try:
            living = await asyncio.wait_for(self._cluster.get(kinds.LEASE, self._namespace, self._name), ATTEMPT)
            if living["spec"].get("holderIdentity") == self._identity:
                living["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._cluster.replace(kinds.LEASE, living, seconds=ATTEMPT)
                log.info("the Lease %s/%s is released", self._namespace, self._name)
        except (Refusal, TimeoutError) as refusal:
            log.warning("the Lease could not be released and runs out in %d s: %s", DURATION, refusal)

    async def _attempt(self) -> bool:
        """Take or renew it; True if that worked."""
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(ATTEMPT):
                won = await self._take()
        except (Refusal, TimeoutError) as refusal:
            log.debug("the Lease was not reached: %s", str(refusal) or "no answer in time")
            return False
        if won:
            self._held_until = started + DEADLINE
        return won

    async def _take(self) -> bool:
        try:
            living = self._mine or await self._cluster.get(kinds.LEASE, self._namespace, self._name)
        except NotFound:
            return await self._create()
        if not self._is_free(living.get("spec") or {}):
            self._held_until = float("-inf")  # somebody else's: whatever we believed, it is over
            return False
        return await self._replace(self._renewed(living))

    async def _create(self) -> bool:
        try:
            await self._cluster.create(kinds.LEASE, self._fresh())
        except Conflict:
            return False  # somebody was faster
        return True

    async def _replace(self, manifest: Manifest) -> bool:
        self._mine = None  # until the answer is here, nobody knows whether it was written
        try:
            self._mine = await self._cluster.replace(kinds.LEASE, manifest, seconds=ATTEMPT)
        except Conflict:
            return False  # somebody was faster, or our own last write was answered too late
        return True

    def _is_free(self, spec: dict[str, Any]) -> bool:
        """Ours, given up, or unchanged for its whole duration by our own clock."""
        holder = spec.get("holderIdentity") or ""
        if holder in ("", self._identity):
            return True
        record = (holder, spec.get("renewTime"), spec.get("leaseTransitions"))
        now = asyncio.get_running_loop().time()
        if record != self._seen:
            self._seen, self._seen_at = record, now
        return now - self._seen_at > float(spec.get("leaseDurationSeconds") or DURATION)

    def _fresh(self) -> Manifest:
        metadata = {"namespace": self._namespace, "name": self._name}
        spec = self._spec(acquired=self._stamp(), transitions=0)
        return {"apiVersion": kinds.LEASE.api_version, "kind": kinds.LEASE.kind, "metadata": metadata, "spec": spec}

    def _renewed(self, living: Manifest) -> Manifest:
        spec = living.get("spec") or {}
        ours = spec.get("holderIdentity") == self._identity
        transitions = int(spec.get("leaseTransitions") or 0) + (0 if ours else 1)
        acquired = spec.get("acquireTime") if ours else None
        return living | {"spec": self._spec(acquired=acquired or self._stamp(), transitions=transitions)}

    def _spec(self, *, acquired: str, transitions: int) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": DURATION,
            "acquireTime": acquired,
            "renewTime": self._stamp(),
            "leaseTransitions": transitions,
        }

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * (0.8 + 0.4 * self._spread()))
