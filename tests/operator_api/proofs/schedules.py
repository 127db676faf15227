"""Flows in bad weather: events are lost, doubled, late and so out of order, lists are behind; all of it from a seed.

A person does not wait for anything here, and the weather ends a little after the last step. From then on the operator
has as long as it promises: what a watch lost is made good by the next list.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.faults import EventFaults
from tests.operator_api.proofs.crashing import SEED
from tests.operator_api.proofs.flows import Flow, claim, create, delete, edit
from tests.operator_api.proofs.growing import grown
from tests.operator_api.proofs.process import operated
from tests.operator_api.proofs.state import State, differences, state
from tests.operator_api.proofs.world import World, simulated

LONGEST = 900.0
"""Seconds after the weather within which all must be well: those of the resync, ten minutes by up to a fifth more, and
the time that pods take."""
STAYS = 40.0
"""Seconds for which it must stay so."""
SCRIPTS: dict[str, Flow] = {
    "create": Flow((claim(), create(replicas=2))),
    "scale": Flow((edit(replicas=3), edit(suspend=True), edit(suspend=False, replicas=1)), (claim(), create())),
    "again": Flow((delete(), create(replicas=2)), (claim(), create())),
    "image": Flow((edit(server={"image": "registry.example/server:2"}), edit(replicas=2)), (claim(), create())),
    "fence": Flow(
        (edit(replicas=1), edit(networkPolicy={"mode": "Off"}), edit(networkPolicy=None, replicas=2)),
        (claim(), create(replicas=2)),
    ),
    "two": Flow((create("other"), delete(), edit("other", replicas=2)), (claim(), create())),
}
"""What is done, on small models."""


class Quiet(NamedTuple):
    """How a script ends without any weather."""

    state: State
    destroyed: dict[str, int]


class Endured(NamedTuple):
    """How a schedule ended."""

    wrong: list[str]
    needed: float
    """Seconds from the end of the weather until all was well."""
    weather: dict[str, int]
    """How many events were lost, doubled, late."""
    course: str
    """A digest of every request and when it came: the same in every run of the seed."""


def quiet(script: str) -> Quiet:
    """Play a script, with time for each step."""

    async def play(world: World) -> Quiet:
        flow = SCRIPTS[script]
        async with operated(world):
            for step in (*flow.before, *flow.steps):
                step(world)
                await world.quiet(60)
            return Quiet(state(world.emulator.objects), dict(world.destroyed))

    return simulated(play, SEED)


def endured(script: str, seeds: Iterable[int]) -> tuple[dict[int, Endured], dict[int, str]]:
    """Play a script once for each seed: how it ended, and what those raised that did not end."""
    wanted = quiet(script)

    @asynccontextmanager
    async def begun(world: World) -> AsyncIterator[None]:
        async with operated(world):
            for step in SCRIPTS[script].before:
                step(world)
                await world.quiet(30)
            yield

    async def go_on(world: World, _: None, seed: int) -> Endured:
        return await _through(world, script, seed, wanted)

    return grown(seeds, begun, go_on)


async def _through(world: World, script: str, seed: int, wanted: Quiet) -> Endured:
    """Take the steps in the weather of a seed, and see how long it takes until all is well."""
    random.seed(seed)
    world.chance.seed(seed)
    course, began = hashlib.sha256(), world.time

    def note(asked: Asked, agent: str) -> None:
        course.update(f"{world.time - began:.4f} {asked.verb} {asked.what} {asked.name} {agent}\n".encode())

    world.emulator.traffic.listeners.append(note)
    weather = await _weathered(world, SCRIPTS[script])
    found = await _cleared(world, wanted)
    return Endured(*found, dict(weather), course.hexdigest())


async def _weathered(world: World, flow: Flow) -> Counter[str]:
    """Take the steps, and count what befell events meanwhile."""
    chance, faults = world.chance, world.emulator.faults
    faults.events = EventFaults(
        chance,
        dropped=chance.uniform(0, 0.4),
        doubled=chance.uniform(0, 0.2),
        delayed=chance.uniform(0, 0.4),
        longest=chance.choice((1.0, 20.0)),
    )
    behind = chance.choice((0, 0, 1, 4))
    faults.behind = lambda _: behind
    counts = faults.events.counts
    for step in flow.steps:
        step(world)
        await asyncio.sleep(chance.uniform(0, chance.choice((0.1, 2, 30))))
        if chance.random() < 0.2:
            world.emulator.watches.hang_up()
        if chance.random() < 0.1:
            world.emulator.compact()
            world.emulator.watches.hang_up()
    await asyncio.sleep(chance.uniform(0, 20))
    faults.events, faults.behind = None, None
    return counts


async def _cleared(world: World, wanted: Quiet) -> tuple[list[str], float]:
    """What is wrong in the end, and after how many seconds the last of it was mended."""
    clear = mended = world.time
    looked, wrong = -1.0, ["nobody looked"]
    while world.time < clear + LONGEST and (wrong or world.time < mended + STAYS):
        if world.changed_at > looked:
            looked, was = world.time, wrong
            wrong = differences(wanted.state, state(world.emulator.objects))
            mended = world.time if was and not wrong else mended
        await asyncio.sleep(5)
    more = Counter(world.destroyed) - Counter(wanted.destroyed)
    return wrong + [f"{what} was destroyed" for what in more], mended - clear
