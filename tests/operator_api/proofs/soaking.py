"""A long life in short: models and pods come and go in thousands, and what the operator holds does not grow."""

import asyncio
import ctypes
import gc
from pathlib import Path
from typing import NamedTuple

from qwen_operator.core import names
from tests.operator_api.emulator.memory import Manifest
from tests.operator_api.proofs.crashing import SEED
from tests.operator_api.proofs.flows import claim, create, delete
from tests.operator_api.proofs.ledger import TIMES
from tests.operator_api.proofs.process import Process
from tests.operator_api.proofs.world import NAMESPACE, World, simulated

ROUNDS, MODELS, PODS, CHANGES = 10 * TIMES, 10, 2000, 4
"""Of a round: models that are made and deleted, and pods of a model that stays, with so many changes of each."""
WARMING = 2
"""Rounds before anything is measured: what is loaded once and kept."""
STAYS = "stays"


class Held(NamedTuple):
    """What a process holds at a moment."""

    kibibytes: int
    """Of memory that is its own, the emulator's included."""
    tasks: int
    connections: int


class Soaked(NamedTuple):
    """A life, and what it came to."""

    before: Held
    after: Held
    objects: int
    """That came and went."""
    events: int
    """Of watches that the operator was sent."""


def soaked() -> Soaked:
    """Live through all rounds."""

    async def play(world: World) -> Soaked:
        claim()(world)
        create(STAYS)(world)
        process = Process(world)
        await world.quiet(60)
        try:
            for _ in range(WARMING):
                await _round(world)
            before, counted = _held(process), Counted(world)
            for _ in range(ROUNDS):
                await _round(world)
            return Soaked(before, _held(process), counted.objects, counted.events)
        finally:
            process.kill()

    return simulated(play, SEED)


class Counted:
    """What happens from now on."""

    def __init__(self, world: World) -> None:
        self.objects = self.events = 0
        world.emulator.objects.listeners.append(self._note)

    def _note(self, happening: object) -> None:
        self.events += 1
        self.objects += getattr(happening, "type", "") == "DELETED"


async def _round(world: World) -> None:
    for number in range(MODELS):
        create(f"passing-{number}", replicas=2)(world)
    await world.quiet(30)
    for number in range(MODELS):
        delete(f"passing-{number}")(world)
    for number in range(PODS):
        _pod(world, f"{STAYS}-{number}")
        if number % 100 == 0:
            await asyncio.sleep(1)
    await world.quiet(30)
    world.emulator.compact()
    await world.quiet(30)


def _pod(world: World, name: str) -> None:
    """A pod of the model that stays, which nobody else looks after: it comes, changes and goes."""
    objects = world.emulator.objects
    labels = names.labels(STAYS)
    pod: Manifest = {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [{"name": "server"}]}}
    living = objects.create("pods", NAMESPACE, pod)
    for change in range(CHANGES):
        living = objects.overwrite("pods", living, living | {"status": {"phase": "Pending", "message": str(change)}})
    objects.delete("pods", NAMESPACE, name)


def _held(process: Process) -> Held:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Held(int(status["RssAnon"].split()[0]), len(asyncio.all_tasks()), process.wire.open)
