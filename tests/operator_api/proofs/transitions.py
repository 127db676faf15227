"""Each leaf of the spec set, set wrongly, and taken back: where a model comes to does not depend on its way."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.operator_api.emulator.memory import Manifest, Refused
from tests.operator_api.proofs.branching import Tree
from tests.operator_api.proofs.crashing import SEED
from tests.operator_api.proofs.flows import claim
from tests.operator_api.proofs.growing import grown
from tests.operator_api.proofs.leaves import Leaf
from tests.operator_api.proofs.process import operated
from tests.operator_api.proofs.state import State, differences, state
from tests.operator_api.proofs.world import NAMESPACE, World, a_model, simulated

STAYS = ("persistentvolumeclaims ", "secrets ", "jobs ", "pods ")
OF_JOBS = ("-measure-", "-fetch-", "-describe-")
"""In the names of Jobs' own fences."""
LAYOUT = "parallelism."
"""A layout that nobody asks for any more stays, since another one would cost replicas their work (decision 0032)."""
SETTLES = 45.0
"""Seconds without a change after which a cluster has come to something."""


class Came(NamedTuple):
    """What a cluster came to, with a leaf and without it again; and what was said of a value that is not valid."""

    there: State
    back: State
    refusal: str


def wrongs(before: Manifest, leaves: Sequence[Leaf]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What is wrong with each leaf that comes on top of a spec, each in a branch of its own; and what broke."""
    was, came, broken = _edited(before, leaves)
    fresh, more = _made_with(leaves)
    return {leaf.title: _wrong(leaf, was, came, fresh) for leaf in leaves}, broken | more


def _wrong(leaf: Leaf, was: State, came: dict[str, Came], fresh: dict[str, State]) -> list[str]:
    if leaf.title not in came or leaf.title not in fresh:
        return ["it broke"]
    found = came[leaf.title]
    name = leaf.path[-1] if leaf.path[-1] != "[]" else leaf.path[-2]
    unsaid = [] if name in found.refusal else [f"the refusal does not name {name}: {found.refusal or 'there is none'}"]
    return [
        *differences(_own(fresh[leaf.title]), _own(found.there), "with it: "),
        *([] if leaf.title.startswith(LAYOUT) else differences(_own(was), _own(found.back), "without it: ")),
        *unsaid,
    ]


def _edited(before: Manifest, leaves: Sequence[Leaf]) -> tuple[State, dict[str, Came], dict[str, str]]:
    """A model that is there gets each leaf, a value of it that is not valid, and loses it again."""
    tree: Tree[str, State | Came] = Tree()

    async def play(world: World) -> State | Came:
        async with operated(world):
            claim()(world)
            claim("shared")(world)
            world.create("qwenmodels", a_model() | {"spec": before})
            await world.quiet(SETTLES)
            for leaf in leaves:
                if tree.grows(leaf.title):
                    return await _through(world, leaf)
            return state(world.emulator.objects)

    was = tree.grown(lambda: simulated(play, SEED))
    assert not isinstance(was, Came)
    return was, {title: end for title, end in tree.ends.items() if isinstance(end, Came)}, tree.broken


async def _through(world: World, leaf: Leaf) -> Came:
    refusal = ""
    _put(world, leaf.valid)
    await world.quiet(SETTLES)
    there = state(world.emulator.objects)
    try:
        _put(world, leaf.invalid)
    except Refused as refused:
        refusal = str(refused)
    _put(world, leaf.before)
    await world.quiet(SETTLES)
    return Came(there, state(world.emulator.objects), refusal)


def _made_with(leaves: Sequence[Leaf]) -> tuple[dict[str, State], dict[str, str]]:
    """A model is made with each leaf."""
    found = {leaf.title: leaf for leaf in leaves}

    @asynccontextmanager
    async def claims(world: World) -> AsyncIterator[None]:
        async with operated(world):
            claim()(world)
            claim("shared")(world)
            await world.quiet(SETTLES)
            yield

    async def made(world: World, _: None, title: str) -> State:
        world.create("qwenmodels", a_model() | {"spec": found[title].valid})
        await world.quiet(SETTLES)
        return state(world.emulator.objects)

    return grown(found, claims, made)


def _put(world: World, spec: Manifest) -> None:
    """A person replaces a model's spec."""
    objects, admit = world.emulator.objects, world.emulator.admission.admit
    living = objects.get("qwenmodels", NAMESPACE, "qwen3")
    objects.replace("qwenmodels", NAMESPACE, "qwen3", living | {"spec": spec}, updater="kubectl", admit=admit)


def _own(found: State) -> State:
    """Without what stays for a reason: claims, keys, work that is done, and what a status remembers of former days."""
    kept = {
        key: value for key, value in found.items() if not key.startswith(STAYS) and not any(v in key for v in OF_JOBS)
    }
    for value in (value for key, value in kept.items() if key.startswith("qwenmodels ")):
        value["status"].pop("weights", None)
        value["status"].get("revision", {}).pop("lastGood", None)
    return kept
