"""A cluster in simulated time: the emulator, its controllers, a clock, and operators that live, pause and die."""

import asyncio
import contextlib
import datetime
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import looptime

from qwen_operator.core.kinds import API_VERSION
from tests.charts.rendering import REQUIRED, objects
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.controllers import Controllers
from tests.operator_api.emulator.kinds import BY_KIND, CLUSTER_SCOPED
from tests.operator_api.emulator.memory import Happening, Manifest
from tests.operator_api.proofs import pausing

T = TypeVar("T")
NAMESPACE = "team"
OPS = "ops"
EPOCH = datetime.datetime(2026, 11, 25, 8, 0, tzinfo=datetime.UTC)
IMAGES = ["registry.example"]
"""Where all images of the proofs come from."""
OF_RIGHTS = frozenset(
    {
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
)
NOISE = frozenset({"leases", "events"})
"""What changes although nothing does."""
REPLACED = frozenset({"pods", "replicasets", "events"})
"""What comes and goes by itself."""


class World:
    """One cluster.

    :param seed: everything that chance decides follows from it.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311  (a test's)
        self._loop = asyncio.get_running_loop()
        self.jump = datetime.timedelta()
        """By how much the wall clock is wrong."""
        self.emulator = Emulator(seed, now=self.stamp)
        self.controllers = Controllers(self.emulator.objects, self.chance, self.stamp)
        self.changed_at = 0.0
        self.destroyed: Counter[str] = Counter()
        """What is not there any more, and how often it went."""
        self.emulator.objects.listeners.append(self._note)
        for manifest in release():
            self.emulator.objects.create(*place(manifest), manifest)
        self.token = self.emulator.rights.token(OPS, "qwen-operator")
        """Of the operator's account, as the chart makes it."""

    @property
    def time(self) -> float:
        """Simulated seconds."""
        return self._loop.time()

    def now(self) -> datetime.datetime:
        """The wall clock."""
        return EPOCH + datetime.timedelta(seconds=self._loop.time()) + self.jump

    def stamp(self) -> str:
        """The wall clock in RFC 3339."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def exceeded(self) -> int:
        """Requests of the operator that the chart's rights or its policy did not let pass."""
        return self.emulator.rights.exceeded.total() + self.emulator.policies.refused.total()

    def latency(self) -> float:
        """Seconds that a message is on its way."""
        return self.chance.uniform(0.0005, 0.005)

    async def quiet(self, seconds: float = 90.0, longest: float = 3600.0) -> None:
        """Wait until nothing has changed for some time."""
        end = self.time + longest
        while self.time - self.changed_at < seconds and self.time < end:  # noqa: ASYNC110  (no time passes)
            await asyncio.sleep(max(1.0, self.changed_at + seconds - self.time))

    def create(self, resource: str, manifest: Manifest) -> Manifest:
        """A person creates an object."""
        place = "" if resource in CLUSTER_SCOPED else NAMESPACE
        return self.emulator.objects.create(resource, place, manifest, admit=self.emulator.admission.admit)

    def edit(self, name: str, spec: Manifest) -> Manifest:
        """A person changes a model's spec by a merge patch."""
        admit = self.emulator.admission.admit
        return self.emulator.objects.merge(
            "qwenmodels", NAMESPACE, name, {"spec": spec}, updater="kubectl", admit=admit
        )

    def delete(self, resource: str, name: str) -> None:
        """A person deletes an object."""
        self.emulator.objects.delete(resource, "" if resource in CLUSTER_SCOPED else NAMESPACE, name)

    def _note(self, happening: Happening) -> None:
        if happening.resource not in NOISE:
            self.changed_at = self.time
        if happening.type == "DELETED" and happening.resource not in REPLACED:
            self.destroyed[f"{happening.resource} {happening.manifest['metadata']['name']}"] += 1


@cache
def release() -> tuple[Manifest, ...]:
    """What a release of the chart, for one namespace, says about the rights of the operator's account."""
    values = REQUIRED | {
        "watchNamespaces": [NAMESPACE],
        "crds": {"install": False},
        "admissionPolicy": {"images": IMAGES},
    }
    return tuple(each for each in objects(values, namespace=OPS) if each["kind"] in OF_RIGHTS)


def place(manifest: Manifest) -> tuple[str, str]:
    """Resource and namespace of an object of the chart."""
    resource = BY_KIND[manifest["kind"]].plural
    return resource, "" if resource in CLUSTER_SCOPED else manifest["metadata"]["namespace"]


def a_model(name: str = "qwen3", **spec: Any) -> Manifest:
    """A QwenModel on a claim."""
    spec = {"model": {"uri": "pvc://weights/qwen3"}, "device": "CPU", **spec}
    return {"apiVersion": API_VERSION, "kind": "QwenModel", "metadata": {"name": name}, "spec": spec}


def a_claim(name: str = "weights") -> Manifest:
    """A claim that somebody made."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
    return {"metadata": {"name": name}, "spec": spec}


def simulated(play: Callable[[World], Awaitable[T]], seed: int) -> T:
    """Let something happen in a new world, in no time; a failure names the seed that repeats it."""

    async def begin() -> T:
        return await play(World(seed))

    random.seed(seed)  # the jitter of the operator's own loops
    try:
        with _unheard("qwen_operator"), asyncio.Runner(loop_factory=_loop) as runner:
            return runner.run(begin())
    except BaseException as error:
        error.add_note(f"seed {seed} repeats this run")
        raise


@contextlib.contextmanager
def _unheard(name: str) -> Iterator[None]:
    """What thousands of processes log as they die is of no use to anybody."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _loop() -> asyncio.AbstractEventLoop:
    loop: asyncio.AbstractEventLoop = looptime.new_event_loop(noop_cycles=0)
    loop.set_task_factory(pausing.task)
    return loop
