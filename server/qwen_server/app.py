"""The application of the API port: every route, layer and error answer in one place.

Outermost the observer, then the key, then the gate, then the routes. It must never open a path without a key.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qwen_server.api.chat import chat_completions
from qwen_server.api.completions import completions
from qwen_server.api.health import health
from qwen_server.api.models import list_models, retrieve_model
from qwen_server.api.service import Service
from qwen_server.auth import Authorized, KeyRing
from qwen_server.drain import Gate, Lifecycle
from qwen_server.errors import CLOSE, METHOD_NOT_ALLOWED, NOT_FOUND, ApiError, internal
from qwen_server.exchange import ClientGone, Exchange, exchange
from qwen_server.limits import Limits, check_headers
from qwen_server.metrics import HttpMetrics
from qwen_server.responses import refuse

Endpoint = Callable[[Service, Scope, Receive, Send], Awaitable[None]]

ROUTES: Mapping[str, Mapping[str, Endpoint]] = {
    "/health": {"GET": health},
    "/v1/models": {"GET": list_models},
    "/v1/models/{model:path}": {"GET": retrieve_model},
    "/v1/chat/completions": {"POST": chat_completions},
    "/v1/completions": {"POST": completions},
}
"""Everything the API answers: path, method, endpoint."""


@dataclass(frozen=True, slots=True)
class Methods:
    """One path: its methods; HEAD is GET without the body, OPTIONS lists them."""

    route: str
    endpoints: Mapping[str, ASGIApp]

    def allowed(self) -> bytes:
        """The value of Allow."""
        head = ["HEAD"] if "GET" in self.endpoints else []
        return ", ".join([*self.endpoints, *head, "OPTIONS"]).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the method's endpoint. Raises ApiError (405)."""
        exchange(scope).route = self.route
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = self.endpoints.get(method)
        if endpoint is not None:
            await endpoint(scope, receive, send)
        elif method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", self.allowed())]})
            await send({"type": "http.response.body", "body": b""})
        else:
            raise ApiError(METHOD_NOT_ALLOWED, headers=[(b"allow", self.allowed())])


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """Raises ApiError (404)."""
    del scope, receive, send
    raise ApiError(NOT_FOUND)


@dataclass(frozen=True, slots=True)
class WithoutTrailingSlash:
    """`/v1/models/` means `/v1/models`: a redirect would lose the body of a POST."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under the shorter path."""
        await self.app({**scope, "path": scope["path"].rstrip("/") or "/"}, receive, send)


@dataclass(frozen=True, slots=True)
class Observer:
    """The outermost layer: gives the request its record, turns errors into answers, counts."""

    app: ASGIApp
    service: Service
    metrics: HttpMetrics
    new_id: Callable[[], str]
    limits: Limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whatever happens; a client that has gone gets nothing."""
        record = Exchange(self.new_id(), asyncio.current_task())
        self.metrics.began()
        try:
            await self.answered({**scope, "exchange": record}, receive, observed(send, record, self.service.lifecycle))
        finally:
            self.metrics.ended(record, time.perf_counter() - record.began)

    async def answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application and answer what it raises."""
        record = exchange(scope)
        try:
            check_headers(scope, self.limits)
            await self.app(scope, receive, send)
        except ClientGone:
            return
        except ApiError as error:
            await refuse(send, error)
        except asyncio.CancelledError:
            if record.interruption is None:
                raise
            await self.refuse_interrupted(record, send)
        except Exception as error:
            self.service.journal.failure("request failed", error, request=record.request_id)
            if record.status:
                raise
            await refuse(send, internal(record.request_id))

    async def refuse_interrupted(self, record: Exchange, send: Send) -> None:
        """An interruption outside of the engine's work, while a body was being read for instance."""
        error = record.answer()
        if isinstance(error, ApiError) and not record.status:
            await refuse(send, error)


def observed(send: Send, record: Exchange, lifecycle: Lifecycle) -> Send:
    """Send with the request's id in the headers, and the status noted once it is on its way.

    While the server leaves, an answer also says that it is the last on its connection.
    """
    request_id = (b"x-request-id", record.request_id.encode())

    async def start(message: Message) -> None:
        headers = [*message["headers"], request_id]
        if lifecycle.leaves:
            headers = [*(header for header in headers if header not in CLOSE), *CLOSE]
        await send({**message, "headers": headers})
        record.status = message["status"]

    def noting(message: Message) -> Awaitable[None]:
        """Not a coroutine of its own: this is on the path of every chunk."""
        return start(message) if message["type"] == "http.response.start" else send(message)

    return noting


def create_app(service: Service, ring: KeyRing, metrics: HttpMetrics, new_id: Callable[[], str]) -> ASGIApp:
    """The application of the API port."""
    routes = [
        Route(path, Methods(path, {method: partial(endpoint, service) for method, endpoint in methods.items()}))
        for path, methods in ROUTES.items()
    ]
    router = Router(routes, redirect_slashes=False, default=nothing_here)
    gate = Gate(WithoutTrailingSlash(router), service.lifecycle)
    return Observer(Authorized(gate, ring), service, metrics, new_id, service.limits)
