"""The API emulator as the measurements need it: the only module here that knows it.

Its own work is on the clock too, so what a measurement does not ask about is switched off: QwenModels are not judged by
their schema a second time, and the collector of garbage rests. It must never count what it did itself.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from qwen_operator import crd
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.kinds import DEFINITIONS, QWEN_MODELS
from tests.operator_api.emulator.memory import Happening, Manifest

NAMESPACE = "bench"
SPEC = {"model": {"uri": "pvc://weights/qwen3"}, "device": "CPU", "replicas": 2}
"""Two replicas, since only then is there a budget: Secret, Service, NetworkPolicy, PodDisruptionBudget, Deployment."""
WRITES = frozenset({"create", "patch", "update", "delete"})
UNCOUNTED = frozenset({"leases"})
"""What beats all the time."""
PATIENCE = 900.0


class Server:
    """An emulator with a claim for all models."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.objects = emulator.objects
        self._begin()
        self._reported: set[str] = set()
        self._deployed: dict[str, asyncio.Future[float]] = {}
        self.statuses: Counter[str] = Counter()
        """Writes of a status, by model."""
        self._reached = asyncio.Event()
        self._wanted = 0
        self.objects.listeners.append(self._note)

    def _begin(self) -> None:
        definition, admit = crd.document(), self.emulator.admission.admit
        self.objects.create(DEFINITIONS, "", definition, admit=admit)
        self.objects.create("persistentvolumeclaims", NAMESPACE, {"metadata": {"name": "weights"}, "spec": {}})
        bare = {"apiVersion": "qwen-operator.io/v1alpha1", "kind": "QwenModel", "spec": SPEC}
        self._model = admit(QWEN_MODELS, None, bare | {"metadata": {"name": "any"}})

    def add(self, first: int, count: int) -> None:
        """Store models with their defaults, as if somebody had applied them."""
        for number in range(first, first + count):
            self.objects.create(QWEN_MODELS, NAMESPACE, self._model | {"metadata": {"name": name(number)}})

    async def reported(self, count: int) -> float:
        """The moment at which so many models have a status."""
        self._wanted = count
        if len(self._reported) < count:
            self._reached.clear()
            async with asyncio.timeout(PATIENCE):
                await self._reached.wait()
        return time.monotonic()

    async def deployed(self, number: int) -> float:
        """Store a model; seconds until its Deployment is stored."""
        self._deployed[name(number)] = stored = asyncio.get_running_loop().create_future()
        started = time.monotonic()
        self.add(number, 1)
        async with asyncio.timeout(PATIENCE):
            at: float = await stored
        return at - started

    def burst(self, number: int, count: int) -> None:
        """So many changes of a model's Deployment that mean something, at once."""
        for ready in range(1, count + 1):
            body: Manifest = {"status": {"replicas": 2, "readyReplicas": ready % 3, "observedGeneration": ready}}
            self.objects.merge("deployments", NAMESPACE, name(number), body, status=True)

    def obstruct(self, number: int) -> None:
        """A Service of somebody else that has the name of a model's."""
        spec = {"ports": [{"port": 80}], "selector": {"app": "theirs"}}
        self.objects.create("services", NAMESPACE, {"metadata": {"name": name(number)}, "spec": spec})

    def remove(self, number: int) -> None:
        """Delete a model, and a Service of its name that is not its own."""
        self.objects.delete(QWEN_MODELS, NAMESPACE, name(number))
        if self.objects.find("services", NAMESPACE, name(number)):
            self.objects.delete("services", NAMESPACE, name(number))

    def release_lease(self) -> None:
        """Nobody writes any more, as after a clean stop."""
        self.objects.merge("leases", NAMESPACE, "qwen-operator", {"spec": {"holderIdentity": ""}})

    def forget_traffic(self) -> None:
        """Count anew from here."""
        self.emulator.traffic.requests.clear()
        self.statuses.clear()

    def writes(self) -> int:
        """Writes that were asked for."""
        return self._asked(WRITES)

    def reads(self, *verbs: str) -> int:
        """Reads of these verbs that were asked for."""
        return self._asked(frozenset(verbs))

    async def heard(self, resource: str) -> None:
        """Wait until somebody watches a resource."""
        async with asyncio.timeout(PATIENCE):
            while not self.emulator.traffic.requests["watch", resource]:  # noqa: ASYNC110  (another process asks)
                await asyncio.sleep(0.01)

    async def first_write(self) -> float:
        """The moment of the next write."""
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        def note(asked: Any, _: str) -> None:
            if asked.writes and asked.resource not in UNCOUNTED and not arrived.done():
                arrived.set_result(time.monotonic())

        self.emulator.traffic.listeners.append(note)
        try:
            async with asyncio.timeout(PATIENCE):
                return await arrived
        finally:
            self.emulator.traffic.listeners.remove(note)

    def _asked(self, verbs: frozenset[str]) -> int:
        requests = self.emulator.traffic.requests.items()
        return sum(count for (verb, what), count in requests if verb in verbs and what not in UNCOUNTED)

    def _note(self, happening: Happening) -> None:
        of = happening.manifest["metadata"]["name"]
        if happening.resource == "deployments" and happening.type == "ADDED":
            if (waiting := self._deployed.pop(of, None)) is not None:
                waiting.set_result(time.monotonic())
        elif happening.resource == QWEN_MODELS and happening.type == "MODIFIED":
            self.statuses[of] += 1
            self._reported.add(of)
            if len(self._reported) >= self._wanted:
                self._reached.set()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """A server of this process; nothing of it is collected until it ends."""
    gc.collect()
    gc.disable()
    try:
        server = Server(Emulator(judging=False))
        async with server.emulator.serving():
            yield server
    finally:
        gc.enable()


def name(number: int) -> str:
    """A model's name."""
    return f"model-{number}"
