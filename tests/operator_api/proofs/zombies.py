"""An operator that runs and does not work: what it needs is taken from it, and somebody must come to know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from qwen_operator import liveness
from qwen_operator.core import kinds
from qwen_operator.observe import first_complaint
from tests.operator_api.proofs.flows import claim, create
from tests.operator_api.proofs.growing import grown
from tests.operator_api.proofs.process import Process
from tests.operator_api.proofs.world import World

LIMIT = 120.0
"""Seconds within which it must be known."""
WATCHED = (kinds.QWEN_MODEL.plural, *(kind.plural for kind in kinds.WATCHED))
Trouble = Callable[[World, Process], None]


class Known(NamedTuple):
    """How it came to be known, and after how many seconds; never, if nothing did."""

    how: str
    seconds: float


def deaf(resource: str) -> Trouble:
    """Its watches stay open and say nothing any more."""
    return lambda world, _: world.emulator.faults.half_open.add(resource)


def refused(status: int) -> Trouble:
    """Everything that it asks is answered so: its token is of no use, or its Roles are gone."""
    return lambda world, _: world.emulator.faults.refuse.update({("*", "*"): status})


def unanswered(world: World, _: Process) -> None:
    """Whatever it asks is taken and never answered; what is open says nothing."""
    world.emulator.faults.hangs = True
    world.emulator.faults.half_open.add("*")


def stopped(_: World, process: Process) -> None:
    """Its event loop takes no step any more."""
    process.pause.stop()


TROUBLES: dict[str, Trouble] = {
    **{f"a watch of {resource} is dead": deaf(resource) for resource in WATCHED},
    "every watch is dead": deaf("*"),
    "its token is not taken any more": refused(401),
    "its rights are gone": refused(403),
    "the API server hangs": unanswered,
    "its loop hangs": stopped,
}


def found_out() -> tuple[dict[str, Known], dict[str, str]]:
    """How each trouble came to be known, and what those raised that did not end."""
    return grown(TROUBLES, _at_work, _known)


@asynccontextmanager
async def _at_work(world: World) -> AsyncIterator[Process]:
    claim()(world)
    create(replicas=2)(world)
    process = Process(world)
    await world.quiet(60)
    try:
        yield process
    finally:
        process.pause.go_on()
        process.kill()


async def _known(world: World, process: Process, name: str) -> Known:
    """Probe it each second, as nobody else does."""
    began, asked = world.time, world.emulator.traffic.requests.copy()
    TROUBLES[name](world, process)
    while world.time - began < 10 * LIMIT:
        await asyncio.sleep(1)
        again = world.emulator.traffic.requests - asked
        dead = [what for what in WATCHED if world.emulator.faults.deaf(what)]
        how = _how(process) or ("it asks anew" if dead and all(again["watch", what] for what in dead) else "")
        if how:
            return Known(how, world.time - began)
    return Known("", float("inf"))


def _how(process: Process) -> str:
    if process.task.done():
        return "it has ended"
    if process.pause.paused:
        return "its probe is not answered"
    parts = process.parts
    complaints = liveness.alive(
        parts.start, parts.informers, parts.queue, parts.lag, lambda: True, parts.transport.models.silence
    )
    return first_complaint(complaints) or ""
