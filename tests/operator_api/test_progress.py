"""A load as a person sees it: the pod says how far it is, the status shows it, and it goes when the pod has started."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from qwen_operator.core import kinds, names
from qwen_operator.core.snapshot import Manifest
from qwen_operator.inquiry import Inquiry
from tests.operator_api.others import an_account, status_of
from tests.operator_api.running import Running, a_claim, a_model, found, running, until
from tests.operator_api.server import Server


@dataclass
class Loader:
    """What stands at a pod's address: a web server that answers as told, and remembers how it was asked."""

    status: int = 200
    answer: dict[str, object] = field(default_factory=dict)
    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def answers(self, request: web.Request) -> web.Response:
        """Any path."""
        self.asked.append((request.path, dict(request.headers)))
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.json_response(self.answer, status=self.status, headers=headers)


@asynccontextmanager
async def a_loader() -> AsyncIterator[Loader]:
    """A loader on a free port."""
    loader = Loader()
    app = web.Application()
    app.router.add_get("/{path:.*}", loader.answers)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    loader.port = runner.addresses[0][1]
    try:
        yield loader
    finally:
        await runner.cleanup()


async def one_round(operator: Running, port: int) -> None:
    """All pods that load are asked once."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        await Inquiry(operator.parts.caches.loads, lambda: True, port).round(session)


async def a_loading_pod(server: Server, *, started: bool = False) -> None:
    """A replica whose server runs at this machine's address."""
    container = {"name": names.CONTAINER, "image": "registry.example/server-cpu:1"}
    metadata = {"name": "qwen3-1", "labels": names.labels("qwen3")}
    spec = {"containers": [container], "automountServiceAccountToken": False}
    if await server.find(kinds.POD, "qwen3-1") is None:
        await an_account(server)
        await server.create(kinds.POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    seen = {
        **container,
        "imageID": "",
        "ready": started,
        "started": started,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-11-24T12:00:00Z"}},
    }
    addresses = {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}
    status = {"phase": "Running", "containerStatuses": [seen], **addresses}
    await server.merge(status_of(kinds.POD), "qwen3-1", {"status": status})


def progress_of(model: Manifest) -> Manifest:
    """What its status says of a load."""
    found: Manifest = (model.get("status") or {}).get("progress") or {}
    return found


async def test_a_load_is_shown_while_it_lasts(server: Server) -> None:
    """From the pod's own words, without a token, and gone once the pod has started."""
    async with running(server) as operator, a_loader() as loader:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model())
        await a_loading_pod(server)
        await until(lambda: bool(operator.parts.caches.loads.loaders))

        loader.answer = {"stage": "loading weights", "bytes_done": 25, "bytes_total": 100, "percent": 25.0}
        await one_round(operator, loader.port)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: bool(progress_of(model)))
        assert progress_of(model)["summary"] == "loading weights 25%"
        ((path, headers),) = loader.asked
        assert path == "/progress"
        assert "Authorization" not in headers

        await a_loading_pod(server, started=True)
        await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: not progress_of(model))


async def test_what_a_load_came_to_is_asked_once_and_stays(server: Server) -> None:
    """Of a replica that serves, when all replicas are what was asked for."""
    async with running(server) as operator, a_loader() as loader:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model())
        deployment = await found(server, kinds.DEPLOYMENT, "qwen3", lambda _: True)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
        ready = {"observedGeneration": deployment["metadata"]["generation"], **counts}
        await server.merge(status_of(kinds.DEPLOYMENT), "qwen3", {"status": ready})
        await a_loading_pod(server, started=True)
        await until(lambda: bool(operator.parts.caches.loads.loaders))

        loader.answer = {"stage": "ready", "bytes_done": 9, "measured": {"cache_tokens": 4096, "load_seconds": 7.5}}
        await one_round(operator, loader.port)
        model = await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: "measured" in (model.get("status") or {}))
        await one_round(operator, loader.port)

        assert model["status"]["measured"] == {"cacheTokens": 4096, "loadSeconds": 7}
        assert len(loader.asked) == 1


async def test_a_pod_that_gives_no_answer_holds_nothing_up(server: Server) -> None:
    """Refused, redirected, or nobody there: the status stands, and the pod is asked again another time."""
    async with running(server) as operator, a_loader() as loader:
        await server.create(kinds.CLAIM, a_claim())
        await server.create(kinds.QWEN_MODEL, a_model())
        await a_loading_pod(server)
        await until(lambda: bool(operator.parts.caches.loads.loaders))
        for loader.status in (500, 302):
            await one_round(operator, loader.port)
        await one_round(operator, 1)
        await operator.settle()

        assert [path for path, _ in loader.asked] == ["/progress", "/progress"]
        assert not progress_of(await server.get(kinds.QWEN_MODEL, "qwen3"))
