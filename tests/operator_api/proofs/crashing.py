"""A flow, each write of which is struck once in a branch of its own, and how all of them end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.faults import Plan, Strike
from tests.operator_api.proofs.branching import Tree
from tests.operator_api.proofs.flows import FLOWS, played
from tests.operator_api.proofs.process import operated
from tests.operator_api.proofs.state import State, differences
from tests.operator_api.proofs.world import World, simulated

SEED = 20261125
NEVER = 0
"""The number of no write."""


class Blow(NamedTuple):
    """What befalls a write."""

    strike: Strike
    crash: bool = True
    """Whether the process dies there; else the call alone fails."""
    status: int = 500
    """Of the refusal, for `INSTEAD`."""


class Point(NamedTuple):
    """One write of a flow, counted from 1, and what befalls it."""

    number: int
    blow: Blow


class Ended(NamedTuple):
    """How a run ended."""

    states: list[State]
    """After each step of a person."""
    destroyed: dict[str, int]
    writes: list[str]
    struck: str
    restarts: int
    exceeded: int
    """Requests that the chart's rights or its policy do not let pass."""


Blows = Mapping[int, tuple[Blow, ...]]
"""What befalls writes, by their number; each in a run of its own."""


@dataclass
class Forks(Plan):
    """A plan that strikes nothing itself; a branch of it strikes once."""

    tree: Tree[Point, Ended] = field(default_factory=Tree)
    blows: Blows = field(default_factory=dict)
    kill: Callable[[], None] = lambda: None
    seen: list[str] = field(default_factory=list)
    """All writes, in words."""

    def befalls(self, asked: Asked) -> Strike | None:
        """Count a call, and begin the branches in which something befalls it."""
        before = self.writes
        super().befalls(asked)
        if self.writes == before:
            return None
        self.seen.append(f"{asked.verb} {asked.what} {asked.name}")
        for blow in self.blows.get(self.writes, ()):
            if self.tree.grows(Point(self.writes, blow)):
                self.status, self.then = blow.status, self.kill if blow.crash else lambda: None
                self.struck = self.seen[-1]
                return blow.strike
        return None


def ends(flow: str, blows: Blows) -> tuple[Ended, dict[Point, Ended], dict[Point, str]]:
    """Play a flow without any blow, and with each: how the quiet run ended, the others, and what broke in the rest."""
    tree: Tree[Point, Ended] = Tree()

    async def play(world: World) -> Ended:
        steps = FLOWS[flow]
        async with operated(world) as kubelet:
            for step in steps.before:
                step(world)
            await world.quiet(40)
            plan = Forks(NEVER, Strike.BEFORE, tree=tree, blows=blows, kill=kubelet.kill)
            world.emulator.faults.plan = plan
            found = await played(steps, world, kubelet)
            return Ended(found, dict(world.destroyed), plan.seen, plan.struck, kubelet.restarts, world.exceeded)

    return tree.grown(lambda: simulated(play, SEED)), tree.ends, tree.broken


def writes(flow: str) -> list[str]:
    """The writes of a flow that nothing befalls."""
    return ends(flow, {})[0].writes


def divergences(flow: str, blows: Blows) -> dict[Point, list[str]]:
    """Play a flow without any blow, and with each: what is wrong with each of the others."""
    quiet, others, broken = ends(flow, blows)
    return {p: unlike(quiet, p, end) for p, end in others.items()} | {p: [said] for p, said in broken.items()}


def unlike(wanted: Ended, point: Point, found: Ended) -> list[str]:
    """What is wrong with a run."""
    lines = differences(wanted.states, found.states, "after step ")
    lines += differences(wanted.destroyed, found.destroyed, "destroyed")
    if not found.struck:
        lines.append("nothing was struck")
    if point.blow.crash and found.restarts != 1:
        lines.append(f"the process was started anew {found.restarts} times")
    if found.exceeded:
        lines.append(f"{found.exceeded} requests went beyond the chart's rights")
    return lines
