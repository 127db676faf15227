"""Eight things that people do with models, each as steps of a person; the operator is left to settle after each."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from qwen_operator.core.settings import Settings
from tests.operator_api.emulator.memory import Manifest
from tests.operator_api.proofs.process import SETTINGS, Kubelet
from tests.operator_api.proofs.state import State, state
from tests.operator_api.proofs.world import NAMESPACE, World, a_claim, a_model

Step = Callable[[World], object]
HUB = {"uri": "hf://Qwen/Qwen3-0.6B"}
NEXT = replace(SETTINGS, weights_image="registry.example/operator:2")
"""The next version of the operator, whose own image runs the Jobs about weights."""


def says(reason: str, name: str = "qwen3") -> Step:
    """A person looks at the model, and reads that."""

    def look(world: World) -> None:
        told = world.emulator.objects.get("qwenmodels", NAMESPACE, name)["status"]["reason"]
        if told != reason:
            raise AssertionError(f"{name} says {told}, and not {reason}")

    return look


@dataclass(frozen=True)
class Flow:
    """Steps; what `before` brings about is there already when they begin."""

    steps: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    then: Settings | None = None
    """Settings of the operator that takes over before the first step."""
    at_last: tuple[Step, ...] = (says("Ready"),)


def create(name: str = "qwen3", **spec: object) -> Step:
    """A person makes a model."""
    return lambda world: world.create("qwenmodels", a_model(name, **spec))


def edit(name: str = "qwen3", **spec: object) -> Step:
    """A person edits it."""
    return lambda world: world.edit(name, spec)


def delete(name: str = "qwen3") -> Step:
    """A person deletes it."""
    return lambda world: world.delete("qwenmodels", name)


def claim(name: str = "weights") -> Step:
    """A person makes a claim."""
    return lambda world: world.create("persistentvolumeclaims", a_claim(name))


def secret(name: str) -> Step:
    """A person makes a Secret of keys."""
    manifest: Manifest = {"metadata": {"name": name}, "stringData": {"alice": "sk-alice"}}
    return lambda world: world.create("secrets", manifest)


FLOWS: dict[str, Flow] = {
    "create": Flow((create(model=HUB),)),
    "scale": Flow((edit(replicas=3), edit(suspend=True), edit(suspend=False, replicas=1)), before=(claim(), create())),
    "model change": Flow(
        (edit(model={"uri": "hf://Qwen/Qwen3-0.6B@v2"}), edit(model={"uri": "pvc://weights/qwen3"})),
        before=(claim(), create(model=HUB)),
    ),
    "key": Flow(
        (edit(auth={"secretName": "team-keys"}), secret("team-keys"), edit(auth={"secretName": None})),
        before=(claim(), create()),
    ),
    "rollout and roll-back": Flow(
        (
            edit(server={"image": "registry.example/server:2"}),
            edit(server={"image": "registry.example/broken:3"}),
            says("RolledBack"),
            edit(server={"image": "registry.example/server:2"}),
        ),
        before=(claim(), create(replicas=2)),
    ),
    "claim kept": Flow((delete(), create(model=HUB, replicas=2)), before=(create(model=HUB),)),
    "delete": Flow(
        (edit(replicas=1), edit(networkPolicy={"mode": "Off"}), delete("other"), delete()),
        before=(claim(), create(model=HUB, replicas=2), create("other")),
        at_last=(),
    ),
    "upgrade": Flow(
        (create(model={"uri": "hf://Qwen/Qwen3-0.6B@v2"}), edit(replicas=2, networkPolicy={"mode": "Off"})),
        before=(claim(), create("other")),
        then=NEXT,
        at_last=(says("Ready"), says("Ready", "other")),
    ),
}


async def played(flow: Flow, world: World, kubelet: Kubelet) -> list[State]:
    """Take a flow's steps; what the cluster has come to after each."""
    found = []
    if flow.then is not None:
        await kubelet.replace(flow.then)
    for step in flow.steps:
        step(world)
        await world.quiet(100 if step is flow.steps[-1] else 40)
        found.append(state(world.emulator.objects))
    for step in flow.at_last:
        step(world)
    return found
