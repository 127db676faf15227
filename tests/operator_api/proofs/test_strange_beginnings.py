"""An operator that begins with a list from before, and one whose token is not taken for half a minute."""

import asyncio

import pytest

from tests.operator_api.proofs.conftest import Beside
from tests.operator_api.proofs.crashing import SEED
from tests.operator_api.proofs.flows import claim, create, edit
from tests.operator_api.proofs.process import operated
from tests.operator_api.proofs.state import State, differences, state
from tests.operator_api.proofs.world import World, simulated

pytestmark = pytest.mark.timeout(600)
AN_HOUR = 40
"""Changes of each resource that an API server an hour behind has not heard of: all that there are here."""


async def _settled(world: World) -> State:
    claim()(world)
    create(replicas=2)(world)
    await world.quiet(60)
    return state(world.emulator.objects)


def behind() -> tuple[list[str], dict[str, int]]:
    """Start anew against an API server that is an hour behind for a minute: what differs in the end, and what went."""

    async def play(world: World) -> tuple[list[str], dict[str, int]]:
        async with operated(world):
            wanted = await _settled(world)
        world.emulator.faults.behind = lambda _: AN_HOUR
        async with operated(world, identity="operator-2"):
            await asyncio.sleep(60)
            world.emulator.faults.behind = None
            await world.quiet(900)
            return differences(wanted, state(world.emulator.objects)), dict(world.destroyed)

    return simulated(play, SEED)


def locked_out() -> tuple[list[str], dict[str, int], int]:
    """For 30 s every answer is a 401, and meanwhile a model is edited: what differs, what went, and restarts."""

    async def run(world: World, *, refused: bool) -> State:
        await _settled(world)
        if refused:
            world.emulator.faults.refuse[("*", "*")] = 401
        await asyncio.sleep(5)
        edit(replicas=3)(world)
        await asyncio.sleep(25)
        world.emulator.faults.refuse.clear()
        await world.quiet(60)
        return state(world.emulator.objects)

    async def quiet(world: World) -> State:
        async with operated(world):
            return await run(world, refused=False)

    async def play(world: World) -> tuple[State, dict[str, int], int]:
        async with operated(world) as kubelet:
            return await run(world, refused=True), dict(world.destroyed), kubelet.restarts

    found, destroyed, restarts = simulated(play, SEED)
    return differences(simulated(quiet, SEED), found), destroyed, restarts


def test_a_stale_list_at_the_start_destroys_nothing(beside: Beside) -> None:
    """And all is as it was once the API server has caught up."""
    differs, destroyed = beside(behind)
    assert differs == []
    assert destroyed == {}


def test_half_a_minute_without_a_token_that_is_taken_loses_nothing(beside: Beside) -> None:
    """The Lease runs out meanwhile, so the process begins anew, once or twice; what was asked for meanwhile is done."""
    differs, destroyed, restarts = beside(locked_out)
    assert differs == []
    assert destroyed == {}
    assert restarts <= 3
