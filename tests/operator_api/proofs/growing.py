"""One beginning in simulated time, and many things that may happen then, each in a branch of its own."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from tests.operator_api.proofs.branching import Tree
from tests.operator_api.proofs.crashing import SEED
from tests.operator_api.proofs.world import World, simulated

Name = TypeVar("Name")
Begun = TypeVar("Begun")
End = TypeVar("End")


def grown(
    names: Iterable[Name],
    begin: Callable[[World], AbstractAsyncContextManager[Begun]],
    go_on: Callable[[World, Begun, Name], Awaitable[End]],
) -> tuple[dict[Name, End], dict[Name, str]]:
    """How each branch ended, and what those raised that did not end.

    :param begin: what all of them have in common, and its end.
    """
    tree: Tree[Name, End | None] = Tree()

    async def play(world: World) -> End | None:
        async with begin(world) as begun:
            for name in names:
                if tree.grows(name):
                    return await go_on(world, begun, name)
        return None

    tree.grown(lambda: simulated(play, SEED))
    return {name: end for name, end in tree.ends.items() if end is not None}, tree.broken
