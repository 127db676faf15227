"""Keeps a cache of one kind in one namespace (or all) true: list in pages, then watch, and list again when in doubt.

Why it exists: kopf forgets deletions that it missed, indexes slowly, and hammers a server that drops connections; for
children none of that may be. An informer must never end by itself, ask more than once a second, or take silence for
health.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import NoReturn

from qwen_operator.cache import Cache, version_of
from qwen_operator.cluster import WATCH_SECONDS, Cluster, Event
from qwen_operator.core.kinds import Kind
from qwen_operator.keys import key_of
from qwen_operator.refusals import Busy, Forbidden, Gone, Refusal

FIRST_PAUSE = 1.0
"""Seconds between two requests at least, however often the server hangs up; doubled with each failure in a row."""
RELIST = 600.0
"""Seconds within which an event that was lost on a watch that is well is made good; two watches last less."""
LONGEST_PAUSE = 30.0
"""Seconds that the doubling stops at: an API server that is back is noticed within this time."""

log = logging.getLogger(__name__)


class Informer:
    """One list-and-watch loop.

    :param selector: of labels, judged by the API server; empty takes all objects.
    :param on_sight: called when the informer goes blind (a sentence) or sees again (None).
    """

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        namespace: str | None,
        cache: Cache,
        *,
        selector: str = "",
        on_sight: Callable[[str | None], None] = lambda _: None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._cluster = cluster
        self.kind = kind
        self._namespace = namespace
        self._cache = cache
        self._selector = selector
        self._on_sight = on_sight
        self._spread = spread
        self._version: str | None = None
        self._listed_at = float("-inf")
        self._failures = 0
        self.settled = asyncio.Event()
        """Set once the first list is in, or was forbidden: the others need not wait for it any longer."""
        self.blind: str | None = None
        """Why nothing of this kind can be seen, or None."""
        self.heard_at = asyncio.get_running_loop().time()
        """When the server last said anything, on the loop's clock."""
        self.lists = 0

    @property
    def title(self) -> str:
        """What is watched, in words."""
        return f"{self.kind.plural} in {self._namespace or 'all namespaces'}"

    async def run(self) -> NoReturn:
        """List and watch until cancelled."""
        while True:
            started = self._now()
            try:
                await self._once()
            except Gone:
                self._version = None
            except Refusal as refusal:
                self._note(refusal)
            await asyncio.sleep(self._pause(self._now() - started))

    async def _once(self) -> None:
        if self._version is None or self._now() - self._listed_at > WATCH_SECONDS[1]:
            self._version = await self._list()
        stream = self._cluster.watch(self.kind, self._namespace, selector=self._selector, version=self._version)
        async with contextlib.aclosing(stream):
            async for event in stream:
                self._hear(event)

    async def _list(self) -> str:
        began = self._now()
        async with contextlib.aclosing(
            self._cluster.pages(self.kind, self._namespace, selector=self._selector)
        ) as pages:
            version = await self._cache.replace(pages, namespace=self._namespace)
        self._heard()
        self._listed_at = began
        self.lists += 1
        self._see()
        return version

    def _hear(self, event: Event) -> None:
        self._heard()
        self._see()
        if event.type == "BOOKMARK":
            self._version = (event.object.get("metadata") or {}).get("resourceVersion") or self._version
            return
        self._failures = 0
        self._version = event.object["metadata"]["resourceVersion"]
        if event.type == "DELETED":
            self._cache.drop(key_of(event.object), version_of(event.object))
        else:
            self._cache.put(event.object)

    def _note(self, refusal: Refusal) -> None:
        self._failures += 1
        if isinstance(refusal, Forbidden):
            self._heard()
            self._go_blind(str(refusal))
        elif self._failures == 3:
            log.warning("%s: cannot be watched, and it is tried again: %s", self.title, refusal)
        if isinstance(refusal, Busy) and refusal.retry_after:
            self._failures = max(self._failures, 3)

    def _go_blind(self, sentence: str) -> None:
        if self.blind is None:
            log.warning("%s: the API server forbids to watch them: %s", self.title, sentence)
            self.blind = sentence
            self.settled.set()
            self._on_sight(sentence)

    def _see(self) -> None:
        self.settled.set()
        if self.blind is not None:
            log.info("%s: can be watched again", self.title)
            self.blind = None
            self._on_sight(None)

    def _pause(self, lasted: float) -> float:
        """Seconds to wait before the next request: none after a watch that lasted, growing ones after failures."""
        if lasted > LONGEST_PAUSE:
            self._failures = 0
        pause = min(FIRST_PAUSE * 2.0 ** min(self._failures, 10), LONGEST_PAUSE) * (1 + 0.5 * self._spread())
        return max(0.0, pause - lasted) if not self._failures else pause

    def _heard(self) -> None:
        self.heard_at = self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
