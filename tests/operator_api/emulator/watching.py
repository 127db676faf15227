"""Watches: what happened after a version, in order, with bookmarks, until it is time to end."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import msgspec

from tests.operator_api.emulator.asking import Asked, selected
from tests.operator_api.emulator.faults import Faults
from tests.operator_api.emulator.memory import Happening, Manifest
from tests.operator_api.emulator.objects import Objects

BOOKMARK_SECONDS = 60.0
"""As often as the real server sends them, about."""
RESOLUTION = 1e-6
"""Seconds that the clock of a simulated loop can tell: what is less never passes there."""


class Watch:
    """One running watch."""

    def __init__(self, asked: Asked, query: Mapping[str, str]) -> None:
        self.asked = asked
        self.query = query
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def line(self, happening: Happening) -> bytes | None:
        """How this watch tells of it, or None if it is not its business."""
        now = self._sees(happening.manifest)
        then = now if happening.before is None else self._sees(happening.before)
        if happening.type == "ADDED":
            return told("ADDED", happening.manifest) if now else None
        if happening.type == "DELETED":
            return told("DELETED", happening.manifest) if then else None
        if now:
            return told("MODIFIED" if then else "ADDED", happening.manifest)
        return told("DELETED", happening.manifest) if then else None

    def _sees(self, manifest: Manifest) -> bool:
        namespace = manifest["metadata"].get("namespace", "")
        return self.asked.namespace in ("", namespace) and selected(self.query, self.asked.resource, manifest)


class Watches:
    """All running watches."""

    def __init__(self, objects: Objects, faults: Faults) -> None:
        self._objects = objects
        self._faults = faults
        self._running: dict[str, set[Watch]] = defaultdict(set)
        objects.listeners.append(self._tell)

    def __len__(self) -> int:
        return sum(map(len, self._running.values()))

    def hang_up(self, resource: str = "") -> None:
        """End every running watch now, or those of one resource."""
        for of, watches in self._running.items():
            for watch in watches if resource in ("", of) else ():
                watch.queue.put_nowait(None)

    def begin(self, asked: Asked, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The lines of a new watch; what happens from now on is not missed."""
        since = int(query.get("resourceVersion") or self._objects.version)
        if since < self._objects.compacted:
            return _gone()
        watch = Watch(asked, query)
        for happening in self._objects.history if since < self._objects.version else ():
            if happening.version > since and happening.resource == asked.resource and (line := watch.line(happening)):
                watch.queue.put_nowait(line)
        self._running[asked.resource].add(watch)
        return self._lines(watch)

    async def _lines(self, watch: Watch) -> AsyncGenerator[bytes, None]:
        seconds = float(watch.query.get("timeoutSeconds") or 3600)
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        try:
            while (left := end - loop.time()) > RESOLUTION:
                try:
                    line = await asyncio.wait_for(watch.queue.get(), min(left, BOOKMARK_SECONDS))
                except TimeoutError:
                    if self._faults.deaf(watch.asked.resource):
                        end = float("inf")  # half open: nothing comes, and nobody says so
                    elif watch.query.get("allowWatchBookmarks") == "true":
                        yield self._bookmark(watch)
                    continue
                if line is None:
                    return
                yield line
        finally:
            self._running[watch.asked.resource].discard(watch)

    def _bookmark(self, watch: Watch) -> bytes:
        kind = {"apiVersion": "v1", "kind": "Bookmark"}
        return told("BOOKMARK", kind | {"metadata": {"resourceVersion": str(self._objects.version)}})

    def _tell(self, happening: Happening) -> None:
        if self._faults.silent or self._faults.deaf(happening.resource):
            return
        for watch in tuple(self._running[happening.resource]):
            if line := watch.line(happening):
                self._deliver(watch.queue.put_nowait, line)

    def _deliver(self, put: Callable[[bytes], None], line: bytes) -> None:
        if self._faults.events is None:
            put(line)
            return
        for delay in self._faults.events.delays():
            if delay:
                asyncio.get_running_loop().call_later(delay, put, line)
            else:
                put(line)


def told(what: str, manifest: Manifest) -> bytes:
    """One line of a watch."""
    return msgspec.json.encode({"type": what, "object": manifest}) + b"\n"


async def _gone() -> AsyncGenerator[bytes, None]:
    status: dict[str, Any] = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    yield told("ERROR", status)
