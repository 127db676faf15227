"""Two operators at once: pauses, crashes, clean stops, wrong clocks and slow ways, all of it from a seed.

Both are an operator's way to write and nothing else: its Lease, the guard in its transport, and a hand that writes
whenever it may. Each write that arrives is held against the Lease as it stands at that moment.
"""

import asyncio
import contextlib
import contextvars
import datetime
import itertools
import random
from collections.abc import AsyncIterator, Callable, Iterable
from typing import NamedTuple

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds, names
from qwen_operator.lease import Lease, LeaseLost
from qwen_operator.observe import Metrics
from qwen_operator.refusals import Refusal
from qwen_operator.transport import Transport
from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.wire import Wire
from tests.operator_api.proofs import pausing
from tests.operator_api.proofs.flows import create
from tests.operator_api.proofs.growing import grown
from tests.operator_api.proofs.process import Account
from tests.operator_api.proofs.world import NAMESPACE, OPS, World

NAMES = ("operator-1", "operator-2")
ACTS = 2
"""Things that happen in one run."""
LATEST = 6.0
"""Seconds on the way, one way. What a network holds for longer while its sender is stopped, nobody can call back."""
SETTLES = 22.0
"""Seconds after the last of them."""


class Rival:
    """One operator, started anew whenever it ends, as a kubelet does.

    :param identity: the pod's name.
    """

    def __init__(self, world: World, identity: str) -> None:
        self.world = world
        self.identity = identity
        self.skew = datetime.timedelta()
        """By how much its own wall clock is wrong."""
        self.slow = False
        """Whether its requests and their answers are on their way for seconds."""
        self.lives = 1
        self.pause = pausing.Pause()
        self.wire = self._wire()
        self.task = self._started()
        self._keeping = asyncio.create_task(self._keep())

    @property
    def is_well(self) -> bool:
        """Whether it runs, and is heard."""
        return not self.pause.paused and not self.slow and not self.task.done()

    def kill(self) -> None:
        """SIGKILL: from this moment on nothing that it does matters."""
        self.wire.cut()
        self.task.cancel()

    def stop(self) -> None:
        """SIGTERM."""
        self.task.cancel()

    async def leave(self) -> None:
        """End for good."""
        self._keeping.cancel()
        self.pause.go_on()
        self.stop()
        await asyncio.wait({self.task, self._keeping})

    def _wire(self) -> Wire:
        def latency() -> float:
            return self.world.chance.uniform(0.2, LATEST) if self.slow else self.world.latency()

        return Wire(self.world.emulator, latency, self.identity)

    def _started(self) -> "asyncio.Task[None]":
        context = contextvars.copy_context()
        context.run(pausing.present.set, self.pause)
        return asyncio.get_running_loop().create_task(self._live(), context=context)

    async def _keep(self) -> None:
        while True:
            await asyncio.wait({self.task})
            self.wire.cut()
            await asyncio.sleep(1)
            await self.pause.wait()  # its node is there again
            self.wire = self._wire()
            self.lives += 1
            self.task = self._started()

    async def _live(self) -> None:
        """Write whenever that is allowed; give the Lease up at a clean end."""
        transport = Transport(
            Account(self.wire, self.world.token),
            Metrics(),
            lambda: lease.held(),  # noqa: PLW0108  (it is made below)
            time_to_write=lambda: lease.time_to_write(),  # noqa: PLW0108
        )
        cluster = Cluster(transport)
        lease = Lease(cluster, OPS, names.LEASE, self.identity, now=lambda: self.world.now() + self.skew)
        holding = asyncio.create_task(lease.run())
        writing = asyncio.create_task(self._write(cluster, lease))
        try:
            with contextlib.suppress(LeaseLost):
                await holding
        finally:
            writing.cancel()
            holding.cancel()
            await asyncio.gather(writing, holding, return_exceptions=True)
            await lease.release()
            await transport.close()

    async def _write(self, cluster: Cluster, lease: Lease) -> None:
        await lease.acquired.wait()
        kind = kinds.QWEN_MODEL_STATUS
        metadata = {"name": "qwen3", "namespace": NAMESPACE}
        for number in itertools.count():
            document = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
            with contextlib.suppress(Refusal, TimeoutError):
                await cluster.apply(kind, document | {"status": {"observedGeneration": number}})
            await asyncio.sleep(self.world.chance.uniform(0.05, 4))


class Takeover(NamedTuple):
    """From the moment that a holder was struck to the one at which somebody holds the Lease after it."""

    after: str
    seconds: float


class Rivalry(NamedTuple):
    """How a run ended."""

    strangers: list[str]
    """Writes of a process that did not hold the Lease as they arrived."""
    takeovers: list[Takeover]
    writes: int


class Watched:
    """One run: who writes, and who holds the Lease."""

    def __init__(self, world: World, rivals: dict[str, Rival]) -> None:
        self.world = world
        self.rivals = rivals
        self.strangers: list[str] = []
        self.writes = 0
        self.takeovers: list[Takeover] = []
        self._struck: tuple[Takeover, str, int] | None = None
        world.emulator.traffic.listeners.append(self._note)

    @property
    def holder(self) -> str:
        """Who holds the Lease, by what the API server says."""
        found = self.world.emulator.objects.get("leases", OPS, "qwen-operator")
        return str(found["spec"].get("holderIdentity") or "")

    def struck(self, how: str) -> None:
        """The holder is struck at this moment; what comes of it is of interest if neither was troubled before."""
        holder, well = self.holder, all(rival.is_well for rival in self.rivals.values())
        self._struck = (Takeover(how, self.world.time), holder, self.rivals[holder].lives) if well else None

    def disturbed(self) -> None:
        """Something else happens: a takeover that is not over yet tells nothing."""
        self._struck = None

    def _note(self, asked: Asked, agent: str) -> None:
        if not asked.writes or not agent:
            return
        holder = self.holder
        if self._struck and holder and self._is_over(holder):
            how, since = self._struck[0]
            self.takeovers.append(Takeover(how, self.world.time - since))
            self._struck = None
        if asked.resource == "leases":
            return
        self.writes += 1
        if agent.rpartition("/")[2] != holder:
            self.strangers.append(f"{self.world.time:.2f} {asked.verb} {asked.what} by {agent}, of {holder}")

    def _is_over(self, holder: str) -> bool:
        """Whether the struck one holds it no more, or has begun anew."""
        if self._struck is None:
            return False
        _, struck, life = self._struck
        return holder != struck or self.rivals[struck].lives != life


Act = Callable[[Watched, dict[str, Rival], random.Random], object]


def pause(seen: Watched, rivals: dict[str, Rival], chance: random.Random) -> None:
    """SIGSTOP of whoever holds the Lease, and SIGCONT: in half of the cases after a minute."""
    rival = rivals[seen.holder]
    seconds = chance.choice((60.0, chance.uniform(1, 70)))
    rival.pause.stop()
    asyncio.get_running_loop().call_later(seconds, rival.pause.go_on)


def crash(seen: Watched, rivals: dict[str, Rival], chance: random.Random) -> None:
    """SIGKILL, and its node is gone for a while."""
    rival = rivals[seen.holder]
    seen.struck("a crash")
    rival.kill()
    rival.pause.stop()
    asyncio.get_running_loop().call_later(chance.uniform(25, 60), rival.pause.go_on)


def stop(seen: Watched, rivals: dict[str, Rival], chance: random.Random) -> None:
    """SIGTERM, as in a rolling update."""
    del chance
    seen.struck("a clean stop")
    rivals[seen.holder].stop()


def jump(seen: Watched, rivals: dict[str, Rival], chance: random.Random) -> None:
    """The wall clock of one of them is set, by an hour or two either way."""
    del seen
    rivals[chance.choice(NAMES)].skew += datetime.timedelta(hours=chance.choice((-2, -1, 1, 2)))


def slowness(seen: Watched, rivals: dict[str, Rival], chance: random.Random) -> None:
    """What one of them sends and is answered is on its way for seconds."""
    del seen
    rival = rivals[chance.choice(NAMES)]
    rival.slow = True
    asyncio.get_running_loop().call_later(chance.uniform(5, 40), setattr, rival, "slow", False)


ACTS_BY_CHANCE: tuple[Act, ...] = (pause, pause, crash, stop, jump, slowness)


def rivalries(seeds: Iterable[int]) -> tuple[dict[int, Rivalry], dict[int, str]]:
    """Play each seed: how it ended, and what those raised that did not end."""
    return grown(seeds, _both, _through)


@contextlib.asynccontextmanager
async def _both(world: World) -> AsyncIterator[dict[str, Rival]]:
    create(suspend=True)(world)
    rivals = {name: Rival(world, name) for name in NAMES}
    await asyncio.sleep(10)
    try:
        yield rivals
    finally:
        for rival in rivals.values():
            await rival.leave()


async def _through(world: World, rivals: dict[str, Rival], seed: int) -> Rivalry:
    random.seed(seed)
    world.chance.seed(seed)
    chance, seen = random.Random(seed), Watched(world, rivals)  # noqa: S311  (a test's)
    for _ in range(ACTS):
        seen.disturbed()
        if seen.holder in rivals:
            chance.choice(ACTS_BY_CHANCE)(seen, rivals, chance)
        await asyncio.sleep(chance.uniform(1, 30))
    await asyncio.sleep(SETTLES)
    return Rivalry(seen.strangers, seen.takeovers, seen.writes)
