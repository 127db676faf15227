"""The emulator's HTTP: URL to verb, and the watch's stream."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from aiohttp import web

from tests.operator_api.emulator.faults import Faults, Traffic
from tests.operator_api.emulator.forwarding import forward
from tests.operator_api.emulator.objects import Happening, Manifest, Objects, Refused

KINDS = {
    ("", "v1", "services"): "Service",
    ("", "v1", "secrets"): "Secret",
    ("", "v1", "events"): "Event",
    ("", "v1", "pods"): "Pod",
    ("", "v1", "persistentvolumeclaims"): "PersistentVolumeClaim",
    ("", "v1", "namespaces"): "Namespace",
    ("", "v1", "nodes"): "Node",
    ("apps", "v1", "deployments"): "Deployment",
    ("batch", "v1", "jobs"): "Job",
    ("policy", "v1", "poddisruptionbudgets"): "PodDisruptionBudget",
    ("networking.k8s.io", "v1", "networkpolicies"): "NetworkPolicy",
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"): "CustomResourceDefinition",
    ("coordination.k8s.io", "v1", "leases"): "Lease",
    ("qwen-operator.io", "v1alpha1", "qwenmodels"): "QwenModel",
}
VERBS = ["get", "list", "watch", "create", "patch", "update", "delete"]


class Asked(NamedTuple):
    """A request, understood."""

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str


class Emulator:
    """The server: `url` once `serving` is entered, and everything a test looks at or breaks."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.faults = Faults()
        self.traffic = Traffic()
        self.url = ""
        self.ports: dict[str, int] = {}
        """By pod: the port of this machine that its portforward leads to."""
        self.logs: dict[str, str] = {}
        """By pod: what its container wrote."""
        self._watches: set[asyncio.Queue[Happening | None]] = set()
        self.objects.listeners.append(self._tell)

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["Emulator"]:
        """Listen on a port of the loopback address."""
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self.hang_up_watches()
            await runner.cleanup()

    def hang_up_watches(self) -> None:
        """End every running watch now, as a restarted server does."""
        for queue in self._watches:
            queue.put_nowait(None)

    def _tell(self, happening: Happening) -> None:
        if not self.faults.silent:
            for queue in self._watches:
                queue.put_nowait(happening)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = understood(request)
        what = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        self.traffic.requests[asked.verb, what] += 1
        if self.faults.hang_up and request.transport:
            request.transport.abort()
            return web.Response(status=503)
        if status := self._refused_with(asked, what):
            return _refusal(Refused(status, "Injected", f"{asked.verb} {what} is refused by the test"))
        try:
            answer = await self._do(asked, request)
        except Refused as refused:
            return _refusal(refused)
        if self.faults.loses(asked.verb, what):
            return _refusal(Refused(500, "Injected", f"the answer of {asked.verb} {what} is lost by the test"))
        return answer

    def _refused_with(self, asked: Asked, what: str) -> int | None:
        return 403 if asked.namespace in self.faults.forbidden else self.faults.status(asked.verb, what)

    async def _do(self, asked: Asked, request: web.Request) -> web.StreamResponse:
        if asked.verb == "discover":
            return web.json_response(discovery(request.path))
        if asked.verb == "watch":
            return await self._watch(asked, request)
        if asked.subresource in ("portforward", "log"):
            return await self._of_a_pod(asked, request)
        if asked.verb == "list":
            if self.faults.stall:
                await self.faults.stall.wait()
            return self._list(asked, request)
        body = await request.json() if request.can_read_body else {}
        return web.json_response(self._one(asked, request, body), status=201 if asked.verb == "create" else 200)

    async def _of_a_pod(self, asked: Asked, request: web.Request) -> web.StreamResponse:
        self.objects.get(asked.resource, asked.namespace, asked.name)
        if asked.subresource == "log":
            return web.Response(text=self.logs.get(asked.name, ""))
        return await forward(request, self.ports.get(asked.name))

    def _one(self, asked: Asked, request: web.Request, body: Manifest) -> Manifest:
        place = (asked.resource, asked.namespace, asked.name)
        match asked.verb:
            case "get":
                return self.objects.get(*place)
            case "create":
                return self.objects.create(asked.resource, asked.namespace, body)
            case "update":
                return self.objects.replace(*place, body)
            case "delete":
                return self.objects.delete(*place, (body.get("preconditions") or {}).get("uid"))
        status = asked.subresource == "status"
        if "apply-patch" not in request.content_type:
            return self.objects.merge(*place, body, status=status)
        return self.objects.apply(*place, body, manager=request.query["fieldManager"], status=status)

    def _list(self, asked: Asked, request: web.Request) -> web.Response:
        items = [m for m in self.objects.all(asked.resource, asked.namespace) if _selected(request, m)]
        start, limit = int(request.query.get("continue") or 0), int(request.query.get("limit") or 0)
        end = start + limit if limit else len(items)
        rest = str(end) if end < len(items) else ""
        metadata = {"resourceVersion": str(self.objects.version), "continue": rest}
        bare = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in items[start:end]]
        return web.json_response({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": bare})

    async def _watch(self, asked: Asked, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        since = int(request.query.get("resourceVersion") or self.objects.version)
        if since < self.objects.compacted:
            await _line(response, "ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})
            return response
        queue: asyncio.Queue[Happening | None] = asyncio.Queue()
        for happening in self.objects.history:
            if happening.version > since:
                queue.put_nowait(happening)
        self._watches.add(queue)
        try:
            while (next_one := await queue.get()) is not None:
                matches = next_one.resource == asked.resource and _selected(request, next_one.manifest)
                if matches and asked.namespace in ("", next_one.manifest["metadata"]["namespace"]):
                    await _line(response, next_one.type, next_one.manifest)
        except ConnectionError:
            pass  # the client went away
        finally:
            self._watches.discard(queue)
        if self.faults.hang_up and request.transport:
            request.transport.abort()
        return response


def understood(request: web.Request) -> Asked:
    """Verb, resource, namespace, name and subresource of a request."""
    parts = request.path.strip("/").split("/")
    rest = parts[3:] if parts[0] == "apis" else parts[2:]
    if not rest:
        return Asked("discover", "", "", "", "")
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    many = "watch" if request.query.get("watch") else "list"
    verbs = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    return Asked(verbs.get(request.method) or ("get" if name else many), resource, namespace, name, subresource)


def discovery(path: str) -> dict[str, Any]:
    """What kopf asks before it watches: groups and resources."""
    parts = path.strip("/").split("/")
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"]}
    if parts == ["apis"]:
        groups = sorted({(group, version) for group, version, _ in KINDS if group})
        versions = [(group, {"groupVersion": f"{group}/{version}", "version": version}) for group, version in groups]
        return {"groups": [{"name": group, "versions": [v], "preferredVersion": v} for group, v in versions]}
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    resources = [
        {
            "name": plural,
            "singularName": "",
            "namespaced": plural not in ("namespaces", "nodes"),
            "kind": kind,
            "verbs": VERBS,
        }
        for (of, at, plural), kind in KINDS.items()
        if (of, at) == (group, version)
    ]
    return {"kind": "APIResourceList", "resources": resources}


def _selected(request: web.Request, manifest: Manifest) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    parts = [part.split("=", 1) for part in request.query.get("labelSelector", "").split(",") if part]
    return all(labels.get(part[0]) == part[1] if len(part) == 2 else part[0] in labels for part in parts)


def _refusal(refused: Refused) -> web.Response:
    body = {"kind": "Status", "code": refused.status, "reason": refused.reason, "message": str(refused)}
    return web.json_response(body, status=refused.status)


async def _line(response: web.StreamResponse, what: str, manifest: Manifest) -> None:
    await response.write(json.dumps({"type": what, "object": manifest}).encode() + b"\n")
