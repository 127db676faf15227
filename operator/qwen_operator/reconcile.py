"""One reconcile: read ► decide ► apply ► judge ► report.

Why it exists: this is the flow, on one screen. What is decided and judged is pure (`core`), what is done is done by
`executor`. It must never read from the API server, keep anything between two reconciles, or write a status that says
nothing new.
"""

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from qwen_operator.announcer import Announcer
from qwen_operator.caches import Caches, asked
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds, plan, status
from qwen_operator.core.news import news
from qwen_operator.core.resource import InvalidResource, parse
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest
from qwen_operator.executor import Executor, ModelGone
from qwen_operator.keys import Key, key_of
from qwen_operator.refusals import NotFound, NotLeading, Refusal
from qwen_operator.workqueue import Unfinished

log = logging.getLogger(__name__)


class Reconciler:
    """Makes one model's children as asked, and says where it stands.

    :param now: UTC time in RFC 3339, for the status' times.
    """

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        executor: Executor,
        announcer: Announcer,
        settings: Settings,
        now: Callable[[], str],
    ) -> None:
        self._cluster = cluster
        self._caches = caches
        self._executor = executor
        self._announcer = announcer
        self._settings = settings
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        """Seconds after which to look again, or None.

        :raises Unfinished: something was refused; it has been said, and is to be tried again.
        """
        body = self._caches.models.get(key)
        if body is None or body["metadata"].get("deletionTimestamp"):
            return None  # its children leave by owner reference
        try:
            return await self._serve(body)
        except ModelGone:
            self._caches.models.drop(key, int(body["metadata"]["resourceVersion"]))
            return None
        except NotLeading as refusal:
            raise Unfinished from refusal
        except Refusal as refusal:
            log.warning("%s: not finished, and tried again: %s", key, refusal)
            raise Unfinished from refusal

    async def _serve(self, body: Manifest) -> float | None:
        try:
            model = parse(body)
        except InvalidResource as invalid:
            await self._report(body, status.unreadable(body, invalid.problem, self._now()))
            return None
        planned = plan.make(model, self._caches.snapshot(model), self._settings, self._now())
        outcome = await self._executor.take(planned.steps, model)
        seen = self._caches.snapshot(model)
        await self._report(body, status.document(model, seen, planned, outcome, self._now()))
        if outcome.failures:
            raise Unfinished
        return status.look_again(model, seen, self._now())

    async def _report(self, body: Manifest, document: dict[str, Any]) -> None:
        document = as_stored(document)
        if body.get("status") == document:
            return
        metadata = {field: body["metadata"][field] for field in ("namespace", "name", "uid")}
        kind = kinds.QWEN_MODEL_STATUS
        manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": document}
        try:
            with self._caches.models.writing(key_of(body)):
                answer = await self._cluster.apply(kind, manifest)
                self._caches.models.put(answer, silently=asked(answer) == asked(body))
        except NotFound:
            raise ModelGone from None
        if told := news(body.get("status") or {}, document):
            await self._announcer.announce(body, told)


def as_stored(document: dict[str, Any]) -> dict[str, Any]:
    """A document as it comes back from JSON, where a tuple is a list: only so can it be compared with a stored one."""
    stored: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return stored
