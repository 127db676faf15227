"""Operators that are broken on purpose, as operators have been: what a proof does not see in one of them it cannot see.

Each fault is put in from outside, at a public name, for one run in a process beside. What a process of the operator
keeps in memory is kept on its `Cluster`, which dies with it.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from unittest.mock import patch

from qwen_operator import cache, executor, informer, operation
from qwen_operator.cache import Cache, Page
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds, rollout
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.reconcile import Reconciler
from qwen_operator.refusals import Broken, Conflict, Invalid, Refusal

Fault = Callable[[], contextlib.AbstractContextManager[Any]]
_apply, _create, _delete, _reconcile = Cluster.apply, Cluster.create, Cluster.delete, Reconciler.reconcile


def a_conflict_is_an_error() -> Any:
    """A Secret that an earlier process made is no success."""

    async def create(self: Cluster, kind: Kind, manifest: Manifest) -> None:
        try:
            await _create(self, kind, manifest)
        except Conflict as conflict:
            if kind is not kinds.SECRET:
                raise
            raise Invalid("it is there") from conflict

    return patch.object(Cluster, "create", create)


def each_process_has_its_own_secret() -> Any:
    """The name of a generated object is new at each start."""

    async def create(self: Cluster, kind: Kind, manifest: Manifest) -> None:
        if kind is kinds.SECRET:
            own = {"name": f"{manifest['metadata']['name']}-{_kept(self, 'serial', next(_serials))}"}
            manifest = manifest | {"metadata": manifest["metadata"] | own}
        await _create(self, kind, manifest)

    return patch.object(Cluster, "create", create)


def only_what_it_made_is_deleted() -> Any:
    """What to take away is remembered in memory."""

    async def apply(self: Cluster, kind: Kind, manifest: Manifest) -> Manifest:
        _kept(self, "made", set()).add((kind, manifest["metadata"]["name"]))
        return await _apply(self, kind, manifest)

    async def delete(self: Cluster, kind: Kind, namespace: str, name: str, uid: str) -> None:
        if (kind, name) in _kept(self, "made", set()):
            await _delete(self, kind, namespace, name, uid)

    return patch.multiple(Cluster, apply=apply, delete=delete)


def _lenient(refused: type[Refusal], *of: Kind) -> Any:
    async def apply(self: Cluster, kind: Kind, manifest: Manifest) -> Manifest:
        try:
            return await _apply(self, kind, manifest)
        except refused:
            if of and kind not in of:
                raise
            return manifest

    return patch.object(Cluster, "apply", apply)


def a_conflict_is_a_success() -> Any:
    """Whoever wrote in between wrote what we wanted."""
    return _lenient(Conflict)


def a_failed_write_is_not_repeated() -> Any:
    """A server that fails has done it all the same."""
    return _lenient(Broken)


def a_failed_status_is_not_repeated() -> Any:
    """A status is only for people."""
    return _lenient(Broken, kinds.QWEN_MODEL_STATUS)


def stored_progress_is_believed() -> Any:
    """A model whose status is about its present spec needs no look after a start."""

    async def reconcile(self: Reconciler, key: Any) -> float | None:
        body = self._caches.models.get(key) or {"metadata": {}}
        generation = body["metadata"].get("generation")
        seen = _kept(self, "seen", set())
        if (body.get("status") or {}).get("observedGeneration") == generation and (key, generation) not in seen:
            return None
        seen.add((key, generation))
        return await _reconcile(self, key)

    return patch.object(Reconciler, "reconcile", reconcile)


def no_way_back_is_kept() -> Any:
    """A template that is replaced is forgotten."""
    return patch.object(rollout, "way_back", lambda _: {})


def nothing_lost_is_looked_for() -> Any:
    """A watch that goes on well is never doubted."""
    return patch.object(informer, "WATCH_SECONDS", (200, 10**9))


def a_list_takes_nothing_away() -> Any:
    """What a list lacks is kept."""

    async def replace(self: Cache, pages: AsyncIterator[Page], *, namespace: str | None) -> str:  # noqa: ARG001
        version = ""
        async for page in pages:
            version = version or page.version
            for manifest in page.items:
                self.put(manifest)
        return version

    return patch.object(Cache, "replace", replace)


def whatever_comes_last_is_the_newest() -> Any:
    """Versions are not compared."""
    order = _numbers()
    return patch.object(cache, "version_of", lambda _: next(order))


def every_model_is_taken_for_new() -> Any:
    """Before a child is made, nobody asks whether its model still lives."""
    return patch.object(executor, "reported", lambda _: False)


def a_former_models_secret_is_taken_for_its_own() -> Any:
    """What has the name is there, and nobody tries again."""
    return patch.object(executor, "COLLECTED_WITHIN", 0)


def nobody_waits_between_two_tries() -> Any:
    """A watch that broke off begins anew at once."""
    return patch.multiple(informer, FIRST_PAUSE=0.1, LONGEST_PAUSE=0.1)


def an_api_server_is_given_up_for_minutes() -> Any:
    """Whoever found it away comes back late."""
    return patch.object(operation, "PREFLIGHT_PAUSE", 240.0)


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


_serials = _numbers()


def _kept(owner: Any, name: str, first: Any) -> Any:
    """What an object remembers under a name."""
    return owner.__dict__.setdefault(f"kept_{name}", first)
