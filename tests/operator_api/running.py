"""The operator at work in the test's own event loop: all parts are real; only kopf is replaced by an informer.

kopf cancels whatever tasks it finds at its end, the test's own too. The process tests run it as it is.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from qwen_operator import operation
from qwen_operator.core import kinds, names
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest
from qwen_operator.informer import Informer
from qwen_operator.lease import LeaseLost
from qwen_operator.parts import Parts, assembled
from tests.operator_api.server import Server

WRITES = {"create", "patch", "update", "delete"}
READS = {"get", "list"}


class Running:
    """An operator, and what a test wants to know of it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def requests(self, verbs: set[str], resource: str = "") -> int:
        """How many requests of these verbs it made; the Lease's don't count."""
        return sum(
            int(sample.value)
            for metric in self.parts.metrics.requests.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
            and sample.labels["verb"] in verbs
            and sample.labels["resource"] != "leases"
            and resource in ("", sample.labels["resource"])
        )

    async def settle(self) -> None:
        """Wait until every model was reconciled once more and nothing is left to do."""
        self.parts.caches.wake_all()
        await until(lambda: self.parts.queue.opened and self.parts.queue.idle)


def settings(server: Server, *also: str) -> Settings:
    """Settings that serve the server's namespace, and others."""
    return Settings(
        namespace=server.namespace,
        watch_namespaces=(server.namespace, *also),
        server_image="registry.example/server:1",
        server_cpu_image="registry.example/server-cpu:1",
        weights_image="registry.example/operator:1",
    )


@asynccontextmanager
async def running(
    server: Server,
    identity: str = "one",
    *,
    also: tuple[str, ...] = (),
    standby: bool = False,
    read_nodes: bool = False,
) -> AsyncIterator[Running]:
    """An operator that serves the server's namespace, ready to work.

    :param also: other namespaces that it is told to serve.
    :param standby: do not wait until it may write.
    :param read_nodes: it is told to read the labels of nodes.
    """
    told = replace(settings(server, *also), read_nodes=read_nodes)
    parts = assembled(told, server.credentials, identity)
    models = Informer(parts.cluster, kinds.QWEN_MODEL, server.namespace, parts.caches.models)
    task = asyncio.create_task(operation.run(parts, models.run()))
    try:
        await until(lambda: ((standby or parts.queue.opened) and models.settled.is_set()) or task.done())
        yield Running(parts)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LeaseLost):
            await task
        await parts.transport.close()


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so; fail after some seconds."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0.01)


async def found(
    server: Server, kind: kinds.Kind, name: str, true: Callable[[Manifest], bool] = bool, *, seconds: float = 20.0
) -> Manifest:
    """Wait until an object is there, and is as wanted."""
    async with asyncio.timeout(seconds):
        while True:
            manifest = await server.find(kind, name)
            if manifest is not None and true(manifest):
                return manifest
            await asyncio.sleep(0.02)


async def gone(server: Server, kind: kinds.Kind, name: str) -> None:
    """Wait until an object is deleted, or about to be: a real API server keeps a Job for its pods' collection."""
    async with asyncio.timeout(20):
        while True:
            living = await server.find(kind, name)
            if living is None or "deletionTimestamp" in living["metadata"]:
                return
            await asyncio.sleep(0.02)


def a_model(name: str = "qwen3", claim: str = "weights", **spec: object) -> Manifest:
    """A QwenModel on a claim."""
    metadata = {"name": name}
    spec = {"model": {"uri": f"pvc://{claim}/qwen3"}, "device": "CPU", **spec}
    return {"apiVersion": kinds.API_VERSION, "kind": "QwenModel", "metadata": metadata, "spec": spec}


def a_claim(name: str = "weights") -> Manifest:
    """A claim."""
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def condition(model: Manifest, kind: str) -> Manifest:
    """One condition of a model's status, or an empty one."""
    conditions = (model.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})


def generated_key(secret: Manifest) -> str:
    """The key that the operator made, in clear."""
    return b64decode(secret["data"][names.GENERATED_KEY]).decode()
