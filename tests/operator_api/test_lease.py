"""One writer at a time, against a server that dies, in simulated time where no server is needed."""

import asyncio
from collections.abc import Callable

import pytest

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.lease import DEADLINE, DURATION, RETRY, Lease, LeaseLost
from qwen_operator.refusals import Unreachable, refusal
from tests.operator_api.emulator.memory import Refused
from tests.operator_api.emulator.objects import Objects

pytestmark = pytest.mark.looptime


class Server:
    """The few verbs that a Lease needs, on the emulator's memory, without a network: so time can be simulated."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.dead = False
        self.hangs = False

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """Read."""
        return await self._answer(lambda: self.objects.get(kind.plural, namespace, name))

    async def create(self, kind: Kind, manifest: Manifest) -> None:
        """Create."""
        await self._answer(lambda: self.objects.create(kind.plural, "ops", manifest))

    async def replace(self, kind: Kind, manifest: Manifest, *, seconds: float) -> Manifest:
        """Put."""
        return await self._answer(lambda: self.objects.replace(kind.plural, "ops", "lease", manifest))

    async def _answer(self, act: Callable[[], Manifest]) -> Manifest:
        if self.hangs:
            await asyncio.sleep(3600)
        if self.dead:
            raise Unreachable("no answer")
        try:
            return act()
        except Refused as refused:
            raise refusal(refused.status, str(refused)) from None

    @property
    def holder(self) -> str:
        """Who holds the Lease."""
        return str(self.objects.get(kinds.LEASE.plural, "ops", "lease")["spec"]["holderIdentity"])


@pytest.fixture
def server() -> Server:
    """A server without Leases."""
    return Server()


def a_lease(server: Server, identity: str) -> Lease:
    """A candidate."""
    return Lease(server, "ops", "lease", identity, spread=lambda: 0.5)  # type: ignore[arg-type]


def now() -> float:
    """Simulated time."""
    return asyncio.get_running_loop().time()


async def test_the_first_one_holds_it_and_renews_it(server: Server) -> None:
    """It stays held as long as the server answers."""
    lease = a_lease(server, "one")
    assert not lease.held()
    task = asyncio.create_task(lease.run())
    await lease.acquired.wait()
    for _ in range(100):
        await asyncio.sleep(1)
        assert lease.held()
    task.cancel()


async def test_a_second_one_waits_and_takes_over_after_a_clean_stop(server: Server) -> None:
    """Released is free at once: the next look gets it."""
    one, two = a_lease(server, "one"), a_lease(server, "two")
    first, second = asyncio.create_task(one.run()), asyncio.create_task(two.run())
    await one.acquired.wait()
    await asyncio.sleep(60)
    assert not two.held()
    first.cancel()
    await one.release()
    assert not one.held()
    started = now()
    await two.acquired.wait()
    assert now() - started <= RETRY
    second.cancel()


async def test_after_a_crash_it_is_taken_over_only_when_the_duration_has_passed(server: Server) -> None:
    """Nobody renews any more: the second waits the whole duration by its own clock, and then no longer."""
    one, two = a_lease(server, "one"), a_lease(server, "two")
    first, second = asyncio.create_task(one.run()), asyncio.create_task(two.run())
    await one.acquired.wait()
    await asyncio.sleep(30)
    first.cancel()
    started = now()
    await two.acquired.wait()
    assert DURATION - 3 <= now() - started <= DURATION + 2 * RETRY
    second.cancel()


async def test_a_restarted_container_of_the_same_pod_takes_it_at_once(server: Server) -> None:
    """Same identity, new process: nothing to wait for."""
    first = asyncio.create_task(a_lease(server, "pod-1").run())
    await asyncio.sleep(1)
    first.cancel()
    again = a_lease(server, "pod-1")
    started = now()
    second = asyncio.create_task(again.run())
    await again.acquired.wait()
    assert now() == started
    second.cancel()


async def test_a_write_that_begins_at_the_last_moment_ends_before_anyone_elses_begins(server: Server) -> None:
    """The API server answers nobody any more; a second candidate counts from the last renewal that it saw."""
    one, two = a_lease(server, "one"), a_lease(server, "two")
    first = asyncio.create_task(one.run())
    await one.acquired.wait()
    second = asyncio.create_task(two.run())
    await asyncio.sleep(30)
    first.cancel()
    while one.held():
        latest = now() + one.time_to_write()
        await asyncio.sleep(0.01)
    await two.acquired.wait()
    assert latest < now()
    assert one.time_to_write() == 0
    second.cancel()


@pytest.mark.parametrize("fault", ["dead", "hangs"])
async def test_without_an_answer_writing_ends_before_anyone_else_may_start(server: Server, fault: str) -> None:
    """The local deadline is counted from before the last good renewal, and then the process ends."""
    lease = a_lease(server, "one")
    task = asyncio.create_task(lease.run())
    await lease.acquired.wait()
    setattr(server, fault, True)
    died = now()
    await asyncio.sleep(DEADLINE)
    assert not lease.held()
    with pytest.raises(LeaseLost):
        await task
    assert now() - died < DURATION


async def test_somebody_elses_name_in_it_ends_the_holding_at_once(server: Server) -> None:
    """Whatever the deadline says: who reads another's name does not write."""
    lease = a_lease(server, "one")
    task = asyncio.create_task(lease.run())
    await lease.acquired.wait()
    server.objects.merge("leases", "ops", "lease", {"spec": {"holderIdentity": "two"}})
    with pytest.raises(LeaseLost):
        await task
    assert not lease.held()


async def test_release_leaves_anothers_lease_alone(server: Server) -> None:
    """Who lost it does not take it from the next one."""
    lease = a_lease(server, "one")
    task = asyncio.create_task(lease.run())
    await lease.acquired.wait()
    server.objects.merge("leases", "ops", "lease", {"spec": {"holderIdentity": "two"}})
    task.cancel()
    await lease.release()
    assert server.holder == "two"


def test_the_client_has_the_verbs_that_the_lease_uses() -> None:
    """The stand-in above imitates methods that exist."""
    assert {"get", "create", "replace"} <= set(dir(Cluster))
