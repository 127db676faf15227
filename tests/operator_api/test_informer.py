"""The informer against an API server that breaks off, forgets and refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from qwen_operator.cache import Cache
from qwen_operator.cluster import WATCH_SECONDS, Cluster, Event, Page
from qwen_operator.core import kinds, names
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.informer import RELIST, Informer
from qwen_operator.keys import Key
from tests.operator_api.emulator.app import Emulator

OURS = {names.MANAGED_BY: names.FIELD_MANAGER}
A = Key("team", "a")


class Watched:
    """An informer of Services, its cache, and what it told of."""

    def __init__(self, cluster: Cluster) -> None:
        self.changes: list[tuple[str, bool]] = []
        self.cache = Cache(lambda key, _, new: self.changes.append((key.name, new is not None)))
        self.sights: list[str | None] = []
        self.informer = Informer(
            cluster, kinds.SERVICE, "team", self.cache, selector=names.OURS, on_sight=self.sights.append
        )


@asynccontextmanager
async def watching(cluster: Cluster) -> AsyncIterator[Watched]:
    """An informer at work that has listed once."""
    watched = Watched(cluster)
    task = asyncio.create_task(watched.informer.run())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is so; fail after some seconds."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  (what is waited for happens in another process or task without an event)
            await asyncio.sleep(0.01)


def create(emulator: Emulator, name: str, **labels: str) -> None:
    """Put a Service of ours on the server."""
    emulator.objects.create("services", "team", {"metadata": {"name": name, "labels": OURS | labels}, "spec": {}})


async def test_it_lists_then_follows_and_sees_only_what_bears_the_label(cluster: Cluster, emulator: Emulator) -> None:
    """What was there, what comes, what changes and what goes; others' objects are filtered by the server."""
    create(emulator, "a")
    emulator.objects.create("services", "team", {"metadata": {"name": "foreign"}})
    async with watching(cluster) as watched:
        await until(watched.informer.settled.is_set)
        create(emulator, "b")
        emulator.objects.merge("services", "team", "a", {"spec": {"type": "NodePort"}})
        emulator.objects.delete("services", "team", "b")
        await until(lambda: len(watched.changes) == 4)
    assert watched.changes == [("a", True), ("b", True), ("a", True), ("b", False)]
    assert emulator.traffic.requests == {("list", "services"): 1, ("watch", "services"): 1}


async def test_after_410_it_lists_again_and_infers_what_was_deleted(cluster: Cluster, emulator: Emulator) -> None:
    """A deletion that no watch told of is found by the list."""
    create(emulator, "a")
    create(emulator, "b")
    async with watching(cluster) as watched:
        await until(lambda: len(watched.cache) == 2)
        emulator.objects.vanish("services", "team", "a")
        emulator.hang_up_watches()
        await until(lambda: ("a", False) in watched.changes)
        assert [key.name for key in watched.cache] == ["b"]
        assert watched.informer.lists == 2


class Deaf:
    """A server whose watches tell of nothing, and end when they were asked to; it lists, and knows no other verb."""

    def __init__(self) -> None:
        self.items: list[Manifest] = []
        self.version = 1
        self.pauses: list[float] = []

    async def pages(self, kind: Kind, namespace: str | None, *, selector: str = "") -> AsyncIterator[Page]:
        """The one page of a list."""
        del kind, namespace, selector
        yield Page(items=self.items, metadata={"resourceVersion": str(self.version)})

    async def watch(
        self, kind: Kind, namespace: str | None, *, selector: str = "", version: str
    ) -> AsyncIterator[Event]:
        """Bookmarks, once a minute."""
        del kind, namespace, selector
        for pause in self.pauses:
            await asyncio.sleep(pause)
            yield Event("BOOKMARK", {"metadata": {"resourceVersion": version}})


@pytest.mark.looptime
@pytest.mark.parametrize("pauses", [[60, 60, 60, 20], [70, 70, 70, 70], [90, 90, 99]], ids=["200s", "280s", "279s"])
async def test_what_no_event_told_of_is_seen_within_ten_minutes(pauses: list[float]) -> None:
    """Something came and something went, and the watch stays well, however long the server lets it last."""
    assert WATCH_SECONDS == (200, 280)
    server = Deaf()
    server.pauses = pauses
    server.items = [{"metadata": {"namespace": "team", "name": "a", "resourceVersion": "1"}}]
    async with watching(server) as watched:  # type: ignore[arg-type]
        await until(watched.informer.settled.is_set)
        for number in range(2, 20):
            server.version += 1
            server.items = [
                {"metadata": {"namespace": "team", "name": str(number), "resourceVersion": str(server.version)}}
            ]
            await asyncio.sleep(RELIST)
            assert [key.name for key in watched.cache] == [str(number)]


async def test_a_server_that_hangs_up_at_once_is_asked_at_most_once_a_second(
    cluster: Cluster, emulator: Emulator
) -> None:
    """No hot loop, whatever the server does."""
    emulator.faults.hang_up = True
    async with watching(cluster) as watched:
        await asyncio.sleep(3)
        # aiohttp itself asks a second time at once when a server hangs up on an idempotent request.
        assert 1 <= emulator.traffic.requests["list", "services"] <= 2 * 3
        emulator.faults.hang_up = False
        await until(watched.informer.settled.is_set, seconds=20)


async def test_a_forbidden_kind_is_blindness_and_not_an_end(cluster: Cluster, emulator: Emulator) -> None:
    """The others need not wait for it; when the right comes back, so does sight."""
    create(emulator, "a")
    emulator.faults.refuse["list", "services"] = 403
    async with watching(cluster) as watched:
        await until(watched.informer.settled.is_set)
        assert watched.informer.blind == "list services is refused by the test"
        emulator.faults.refuse.clear()
        await until(lambda: A in list(watched.cache))
        assert watched.sights == ["list services is refused by the test", None]
