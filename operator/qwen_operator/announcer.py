"""Events about models: for news only, merged, at most one write for each reason in ten minutes.

Why it exists: `kubectl describe` and whoever collects events see what a status has forgotten. It must never hold up or
fail a reconcile: an event that cannot be written is dropped, since the status says the same.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.news import News, event
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import NotLeading, Refusal

QUIET_SECONDS = 600.0
"""Between two writes about the same reason of the same model."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one reason."""

    first: str
    count: int
    at: float
    """Time of the last write, in seconds of the monotonic clock."""


class Announcer:
    """Writes events.

    :param now: UTC time in RFC 3339.
    :param clock: seconds that only ever grow.
    """

    def __init__(self, cluster: Cluster, now: Callable[[], str], clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._now = now
        self._clock = clock
        self._told: dict[tuple[str, str], Told] = {}

    async def announce(self, model: Manifest, news: News) -> None:
        """Write the event, or count it where its reason was told lately.

        :raises NotLeading: somebody else writes now.
        """
        key, clock, now = (model["metadata"]["uid"], news.reason), self._clock(), self._now()
        before = self._told.get(key)
        if before and clock - before.at < QUIET_SECONDS:
            self._told[key] = replace(before, count=before.count + 1)
            return
        self._forget(clock)
        told = Told(before.first if before else now, before.count + 1 if before else 1, clock)
        self._told[key] = told
        try:
            await self._cluster.apply(kinds.EVENT, event(model, news, told.first, now, told.count))
        except NotLeading:
            raise
        except Refusal as refusal:
            log.info("an event about %s was not written: %s", model["metadata"]["name"], refusal)

    def _forget(self, clock: float) -> None:
        """An API server keeps events for an hour; so does this."""
        self._told = {key: told for key, told in self._told.items() if clock - told.at < 6 * QUIET_SECONDS}
