"""The API server is away for some time: what the operator asks meanwhile, and how soon all is well when it is back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.operator_api.emulator.asking import Asked
from tests.operator_api.proofs.flows import claim, create
from tests.operator_api.proofs.growing import grown
from tests.operator_api.proofs.process import operated
from tests.operator_api.proofs.world import NAMESPACE, World

WINDOW = 30
"""Seconds over which requests are counted."""
SOON = 15.0
"""Seconds after an outage within which all is well."""
MOST = 1.0
"""Requests a second for each kind meanwhile."""


class Outage(NamedTuple):
    """How long, and with what it answers; nothing is a connection that is cut."""

    seconds: float
    status: int | None = None


OUTAGES = tuple(Outage(seconds, status) for seconds in (1, 60, 600) for status in (None, 500, 503))


class Survived(NamedTuple):
    """What came of an outage."""

    needed: float
    """Seconds from its end until what was asked for right before it was done and told."""
    busiest: dict[str, float]
    """By kind: the most requests a second, over any half minute of it."""
    pods: bool
    """Whether every pod that ran before runs on, unchanged."""


def survived(outages: tuple[Outage, ...]) -> tuple[dict[Outage, Survived], dict[Outage, str]]:
    """Let each come over a settled cluster whose model has just been edited."""
    return grown(outages, _settled, _through)


@asynccontextmanager
async def _settled(world: World) -> AsyncIterator[None]:
    async with operated(world):
        for step in (claim(), create(), create("other")):
            step(world)
        await world.quiet(60)
        yield


def complaints(outages: tuple[Outage, ...]) -> list[str]:
    """What is wrong with how they are survived."""
    found, broken = survived(outages)
    lines = [f"{outage}: {said}" for outage, said in broken.items()]
    for outage, end in found.items():
        if end.needed > SOON:
            lines.append(f"{outage}: all is well only after {end.needed} s")
        lines += [f"{outage}: {n:.1f} requests a second for {what}" for what, n in end.busiest.items() if n > MOST]
        if not end.pods:
            lines.append(f"{outage}: pods were changed")
    return lines


async def _through(world: World, _: None, outage: Outage) -> Survived:
    asked: list[tuple[float, str]] = []

    def note(request: Asked, _agent: str) -> None:
        asked.append((world.time, request.resource))

    faults, before = world.emulator.faults, _pods(world)
    world.edit("qwen3", {"networkPolicy": {"mode": "Off"}})
    world.emulator.traffic.listeners.append(note)
    if outage.status is None:
        faults.hang_up = True
    else:
        faults.refuse["*", "*"] = outage.status
    world.emulator.watches.hang_up()
    began = world.time
    await asyncio.sleep(outage.seconds)
    faults.hang_up = False
    faults.refuse.clear()
    ended = world.time
    meanwhile = [(at - began, what) for at, what in asked]
    while not _is_done(world) and world.time < ended + 600:  # noqa: ASYNC110  (simulated time costs nothing)
        await asyncio.sleep(0.5)
    needed = world.time - ended
    await world.quiet(100)
    return Survived(needed, _busiest(meanwhile), _pods(world) == before)


def _is_done(world: World) -> bool:
    objects = world.emulator.objects
    model = objects.get("qwenmodels", NAMESPACE, "qwen3")
    told = model["status"]["observedGeneration"] == model["metadata"]["generation"]
    return told and objects.find("networkpolicies", NAMESPACE, "qwen3") is None


def _pods(world: World) -> list[tuple[str, object]]:
    return [(pod["metadata"]["uid"], pod["spec"]) for pod in world.emulator.objects.all("pods", NAMESPACE)]


def _busiest(asked: list[tuple[float, str]]) -> dict[str, float]:
    found: Counter[tuple[int, str]] = Counter((int(at // WINDOW), what) for at, what in asked)
    return {what: max(n for (_, each), n in found.items() if each == what) / WINDOW for _, what in found}
