"""An uninstallation in any order: models, operator, rights and the definition of their kind go one after another."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from tests.operator_api.emulator.memory import Manifest
from tests.operator_api.proofs.flows import HUB, claim, create
from tests.operator_api.proofs.growing import grown
from tests.operator_api.proofs.process import Kubelet
from tests.operator_api.proofs.world import NAMESPACE, World, place, release

MODELS: dict[str, Manifest] = {
    "qwen3": {"replicas": 2},
    "hub": {"model": HUB},
    "passing": {"model": HUB, "cache": {"retain": "Delete"}},
}
KEPT = frozenset({"persistentvolumeclaims weights", "persistentvolumeclaims hub-weights"})
"""A claim that somebody else made, and one that outlives its model as it was asked to."""
Order = tuple[str, ...]


async def the_operator(world: World, kubelet: Kubelet) -> None:
    """Its Deployment is deleted."""
    del world
    await kubelet.stop()


async def the_models(world: World, kubelet: Kubelet) -> None:
    """A person deletes all that are left."""
    del kubelet
    for name in MODELS:
        if world.emulator.objects.find("qwenmodels", NAMESPACE, name):
            world.delete("qwenmodels", name)


async def the_rights(world: World, kubelet: Kubelet) -> None:
    """Roles and bindings are deleted; an account without any may still ask."""
    del kubelet
    for manifest in release():
        if "Role" in manifest["kind"]:
            world.emulator.objects.delete(*place(manifest), manifest["metadata"]["name"])


async def the_definition(world: World, kubelet: Kubelet) -> None:
    """With it go all objects of its kind, and nobody knows of such objects any more."""
    await the_models(world, kubelet)
    world.emulator.faults.refuse |= {("*", what): 404 for what in ("qwenmodels", "qwenmodels/status")}


GO: dict[str, Callable[[World, Kubelet], Awaitable[None]]] = {
    "operator": the_operator,
    "models": the_models,
    "rights": the_rights,
    "definition": the_definition,
}
ORDERS: tuple[Order, ...] = tuple(itertools.permutations(GO))


def left(orders: Iterable[Order] = ORDERS) -> tuple[dict[Order, set[str]], dict[Order, str]]:
    """What is left of the models after each order, and what those raised that did not end."""
    return grown(orders, _served, _through)


@asynccontextmanager
async def _served(world: World) -> AsyncIterator[Kubelet]:
    claim()(world)
    for name, spec in MODELS.items():
        create(name, **spec)(world)
    kubelet = Kubelet(world)
    await world.quiet(40)
    try:
        yield kubelet
    finally:
        await kubelet.stop()


async def _through(world: World, kubelet: Kubelet, order: Order) -> set[str]:
    for what in order:
        await GO[what](world, kubelet)
        await world.quiet(30)
    return {
        f"{resource} {manifest['metadata']['name']}"
        for resource, manifest in world.emulator.objects.everything()
        if manifest["metadata"].get("namespace") == NAMESPACE and resource != "events"
    }
