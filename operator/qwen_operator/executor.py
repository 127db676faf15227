"""Takes a plan's steps, one after the other, and says which were refused and why.

Why it exists: ownership is checked here and nowhere else: an object that is not controlled by the very model is never
touched, whatever its name. It must never decide what is wanted, read a Secret, or let a generated key into a log, a
message or a cache.
"""

import asyncio
import logging
from collections.abc import Callable

from qwen_operator.caches import Caches
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds, names
from qwen_operator.core.excerpt import excerpt
from qwen_operator.core.kinds import Kind
from qwen_operator.core.living import belongs
from qwen_operator.core.plan import Outcome
from qwen_operator.core.pod_standard import faults
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.report import reported
from qwen_operator.core.snapshot import Manifest, controlled_by
from qwen_operator.core.steps import Apply, CreateOnce, Delete, Step, title, verb
from qwen_operator.keys import Key
from qwen_operator.observe import Metrics
from qwen_operator.refusals import Broken, Conflict, Forbidden, Invalid, NotFound, Refusal

log = logging.getLogger(__name__)


REASONS: dict[type[Refusal], Reason] = {
    Forbidden: Reason.FORBIDDEN,
    Invalid: Reason.API_REFUSED,
    NotFound: Reason.API_REFUSED,
    Broken: Reason.API_FAILED,
}
"""What a refused step means to the model; every other refusal is about the moment, and the whole plan is repeated."""
ALREADY_EXISTS = "AlreadyExists"
"""The reason of a 409 that says so; a quota that changed at that moment is a 409 as well, and nothing is there."""
COLLECTED_WITHIN = 5
"""Seconds after the end of a model within which the API server's garbage collector has taken its children."""


class ModelGone(Exception):  # noqa: N818  (it is no error that somebody deletes a model)
    """The model that steps are taken for is not there any more, or is another one of the same name."""


class _Taken(Exception):  # noqa: N818
    """The name belongs to somebody else's object."""


class _Unrestricted(Exception):  # noqa: N818
    """The object's pods would do more than they may; the message says what."""


class Executor:
    """Does steps.

    :param new_key: makes an API key; randomness comes in from outside.
    """

    def __init__(self, cluster: Cluster, caches: Caches, metrics: Metrics, new_key: Callable[[], str]) -> None:
        self._cluster = cluster
        self._caches = caches
        self._metrics = metrics
        self._new_key = new_key

    async def take(self, steps: tuple[Step, ...], model: QwenModel) -> Outcome:
        """Take all steps that can be taken.

        :raises ModelGone: found out before anything was created for it.
        :raises Refusal: no answer, no Lease, or a version that changed meanwhile: to be tried again from the start.
        """
        failures: list[tuple[Step, Problem]] = []
        for step in steps:
            problem = await self._try(step, model)
            if problem is None:
                continue
            failures.append((step, problem))
            self._metrics.failures.labels(verb(step), step.kind.kind, problem.reason.value).inc()
            log.warning("%s: %s %s", title(step, model), problem.reason.value, problem.message)
            if isinstance(step, CreateOnce):
                break
        return Outcome(tuple(failures))

    async def _try(self, step: Step, model: QwenModel) -> Problem | None:
        """Take one step; a refusal that repeating won't mend at once comes back as a problem."""
        name = step.name if isinstance(step, Delete) else str(step.manifest["metadata"]["name"])
        facts = {"kind": step.kind.kind, "name": name}
        try:
            await self._take(step, model)
        except _Taken:
            return Reason.NAME_TAKEN.about(**facts)
        except _Unrestricted as found:
            return Reason.NOT_RESTRICTED.about(why=excerpt(str(found)), **facts)
        except tuple(REASONS) as refusal:
            return REASONS[type(refusal)].about(why=excerpt(str(refusal)), **facts)
        return None

    async def _take(self, step: Step, model: QwenModel) -> None:
        match step:
            case Apply():
                await self._apply(step, model)
            case CreateOnce():
                await self._create(step, model)
            case Delete():
                await self._delete(step, model)

    async def _apply(self, step: Apply, model: QwenModel) -> None:
        if found := faults(step.manifest):
            raise _Unrestricted(", ".join(found))
        if sentence := self._caches.blindness(step.kind, model.metadata.namespace):
            raise Forbidden(sentence)
        living = await self._living(step.kind, step.manifest["metadata"]["name"], model)
        if living is not None and not belongs(step.kind, living, model):
            raise _Taken
        if living is None:
            await self._insist_that_it_lives(model, step.manifest)
        cache = self._caches.of[step.kind]
        with cache.writing(Key(model.metadata.namespace, step.manifest["metadata"]["name"])):
            answer = await self._write(step, model, living)
            cache.put(answer, silently=living is None or answer.get("status") == living.get("status"))
        self._done(step, model)

    async def _write(self, step: Apply, model: QwenModel, living: Manifest | None) -> Manifest:
        """Apply over this very object, or where there is none; the server refuses it if that is not so (any more)."""
        metadata = step.manifest["metadata"]
        try:
            if living is None:
                return await self._cluster.introduce(step.kind, step.manifest)
            metadata = metadata | {"uid": living["metadata"]["uid"]}
            return await self._cluster.apply(step.kind, step.manifest | {"metadata": metadata})
        except Conflict:
            await self._refresh(step.kind, Key(model.metadata.namespace, metadata["name"]), model)
            raise

    async def _create(self, step: CreateOnce, model: QwenModel) -> None:
        """Create it, unless it is there; what is in it is its owner's business.

        Whose it is nobody may ask. A new model's may be that of a former one of its name, which is about to be
        collected with all the others, so for a while it is tried again.
        """
        await self._insist_that_it_lives(model, step.manifest)
        attempts = 1 if reported(model.status) else 1 + COLLECTED_WITHIN
        for attempt in range(attempts):
            if attempt:
                await asyncio.sleep(1.0)
            if await self._is_new(step):
                self._done(step, model)
                break

    async def _is_new(self, step: CreateOnce) -> bool:
        """Create it with a new key; False if it is there."""
        secret = step.manifest | {"stringData": {names.GENERATED_KEY: self._new_key()}}
        try:
            await self._cluster.create(step.kind, secret)
        except Refusal as refusal:
            if refusal.reason == ALREADY_EXISTS:
                return False
            raise _without_words(refusal) from None
        return True

    async def _delete(self, step: Delete, model: QwenModel) -> None:
        try:
            living = await self._cluster.get(step.kind, model.metadata.namespace, step.name)
            if living["metadata"]["uid"] != step.uid:
                return
            if not controlled_by(living, model.metadata.uid):
                raise _Taken
            await self._cluster.delete(step.kind, model.metadata.namespace, step.name, step.uid)
        except NotFound:
            return
        self._done(step, model)

    async def _living(self, kind: Kind, name: str, model: QwenModel) -> Manifest | None:
        """The object of that name: as cached, else as the quorum has it; a cache sees only what bears our label.

        Of a new model nobody asks: whatever has the name, an apply that introduces is refused.
        """
        cached = self._caches.of[kind].get(Key(model.metadata.namespace, name))
        if cached is not None or not reported(model.status):
            return cached
        try:
            return await self._cluster.get(kind, model.metadata.namespace, name)
        except NotFound:
            return None

    async def _insist_that_it_lives(self, model: QwenModel, child: Manifest) -> None:
        """Before creating a child anew: kopf never reports a deletion it missed, and orphans would come and go.

        Of a new model nobody asks: what is made for it in vain is collected as its owner is gone, if it has an owner.
        """
        if not reported(model.status) and child["metadata"].get("ownerReferences"):
            return
        try:
            living = await self._cluster.get(kinds.QWEN_MODEL, model.metadata.namespace, model.metadata.name)
        except NotFound:
            raise ModelGone from None
        if living["metadata"]["uid"] != model.metadata.uid or living["metadata"].get("deletionTimestamp"):
            raise ModelGone

    async def _refresh(self, kind: Kind, key: Key, model: QwenModel) -> None:
        """What lives is not what we took it for: look, so that the next attempt starts from the truth.

        :raises _Taken: it is somebody else's, of which a cache would never hear again.
        """
        try:
            living = await self._cluster.get(kind, *key)
        except NotFound:
            if stale := self._caches.of[kind].get(key):
                self._caches.of[kind].drop(key, int(stale["metadata"]["resourceVersion"]))
            return
        if not belongs(kind, living, model):
            raise _Taken
        self._caches.of[kind].put(living, silently=True)

    def _done(self, step: Step, model: QwenModel) -> None:
        self._metrics.steps.labels(verb(step), step.kind.kind).inc()
        log.info("%s: %s", title(step, model), step.why)


def _without_words(refusal: Refusal) -> Refusal:
    """The same refusal with its reason alone: a sentence about a Secret may repeat what was sent."""
    words = refusal.reason or f"HTTP {int(refusal.status)}"
    return type(refusal)(words, reason=refusal.reason, retry_after=refusal.retry_after)
