"""The one way out of the process to the API server: every request of ours and of kopf's passes `Transport`.

Why it exists: the token, the limit of requests in flight, the counting, and the rule "no write without the Lease" each
hold only if nobody can go round them. It must never log or keep a request's or an answer's body.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from aiohttp import hdrs

from qwen_operator.core import kinds
from qwen_operator.credentials import Credentials
from qwen_operator.hearing import Hearing
from qwen_operator.observe import Metrics
from qwen_operator.refusals import NotLeading, Unreachable, refusal

IN_FLIGHT = 16
"""Requests at once, watches and the Lease left out."""
WRITES = frozenset({hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH, hdrs.METH_DELETE})
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
"""Of one request that isn't a watch, in seconds."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)


class _Status(msgspec.Struct):
    """What the API server says when it refuses."""

    message: str = ""
    reason: str = ""


class Transport:
    """One pool of connections, and the middleware that every request passes.

    :param may_write: asked before each write; False refuses it here.
    :param agent: who we are in the API server's audit log.
    :param time_to_write: seconds until a write that begins now is broken off, or None.
    """

    def __init__(
        self,
        credentials: Credentials,
        metrics: Metrics,
        may_write: Callable[[], bool],
        agent: str = "qwen-operator",
        *,
        time_to_write: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._credentials = credentials
        self._metrics = metrics
        self._may_write = may_write
        self._time_to_write = time_to_write
        self._agent = agent
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._connector = credentials.connector()
        self._session = self.session()
        self.server = credentials.server
        self.models = Hearing()
        """The watches of QwenModels."""

    def session(self) -> aiohttp.ClientSession:
        """A session on the shared pool; whoever asks for one may close it without closing the pool."""
        return aiohttp.ClientSession(
            connector=self._connector,
            connector_owner=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept": "application/json"},
            middlewares=(self._pass,),
            auto_decompress=True,
        )

    async def close(self) -> None:
        """Close the session and the pool."""
        await self._session.close()
        await self._connector.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout = TIMEOUT,  # noqa: ASYNC109  (aiohttp's own, with its parts)
    ) -> bytes:
        """Ask once and return the body.

        :raises Refusal: by status; `Unreachable` if no answer came.
        """
        async with self._ask(method, path, query, body, content_type, timeout) as answer:
            try:
                return await answer.read()
            except _NO_ANSWER as error:
                raise _unreachable(self.server, error) from error

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        query: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Open an answer that goes on."""
        async with self._ask(hdrs.METH_GET, path, query, None, "", timeout) as answer:
            yield answer.content

    @contextlib.asynccontextmanager
    async def channel(
        self, path: str, query: Mapping[str, str], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket to something behind the API server, such as a port of a pod; what comes is of no type."""
        headers = {hdrs.ACCEPT: "*/*"}
        try:
            answer = await self._session.ws_connect(
                self.server + path, params=query, protocols=(protocol,), headers=headers, max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as error:
            raise refusal(error.status, f"The API server answers {error.status} to a WebSocket.") from error
        except _NO_ANSWER as error:
            raise _unreachable(self.server, error) from error
        async with answer:
            yield answer

    @contextlib.asynccontextmanager
    async def _ask(
        self,
        method: str,
        path: str,
        query: Any,
        body: object,
        content_type: str,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if data is None else {hdrs.CONTENT_TYPE: content_type}
        try:
            answer = await self._session.request(
                method, self.server + path, params=query, data=data, headers=headers, timeout=timeout
            )
        except _NO_ANSWER as error:
            raise _unreachable(self.server, error) from error
        async with answer:
            if answer.status >= 400:
                raise await _refused(answer)
            yield answer

    async def _pass(self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """The middleware: limit, Lease, token, count. The Lease comes after the wait for a slot, which may be long.

        A write must have ended when somebody else may begin: one whose answer is late is broken off before.
        """
        of_the_lease = "/leases" in request.url.path
        apart = of_the_lease or "watch" in request.url.query
        async with contextlib.nullcontext() if apart else self._slots:
            needs_the_lease = request.method in WRITES and not of_the_lease
            if needs_the_lease and not self._may_write():
                raise NotLeading("The Lease is not in hand, so nothing is written.")
            async with asyncio.timeout(self._time_to_write() if needs_the_lease else None):
                answer = await self._send_with_token(request, send)
        if answer.status == 401:
            await self._credentials.refuse()
        return answer

    async def _send_with_token(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if token := self._credentials.authorization():
            request.headers[hdrs.AUTHORIZATION] = token
        verb, resource = _asked(request)
        started, status = asyncio.get_running_loop().time(), 0
        try:
            answer = await send(request)
            status = answer.status
            if verb == "watch" and resource == kinds.QWEN_MODEL.plural and status == HTTPStatus.OK:
                self.models.listen(request.url.path, answer.content)
        finally:
            self._metrics.requests.labels(verb, resource, str(status)).inc()
            if verb != "watch":
                self._metrics.seconds.labels(verb).observe(asyncio.get_running_loop().time() - started)
        return answer


def _asked(request: aiohttp.ClientRequest) -> tuple[str, str]:
    """Verb and resource of a request, from its URL alone: the namespace and the name stay out of the metrics."""
    parts = request.url.path.strip("/").split("/")
    parts = parts[3:] if parts[0] == "apis" else parts[2:]
    if len(parts) >= 3 and parts[0] == "namespaces":
        parts = parts[2:]
    resource = parts[0] if parts else "discovery"
    if len(parts) > 2:
        resource += f"/{parts[2]}"
    if request.method != hdrs.METH_GET or not parts:
        return _VERBS.get(request.method, "get"), resource
    return ("watch" if "watch" in request.url.query else "list" if len(parts) == 1 else "get"), resource


async def _refused(answer: aiohttp.ClientResponse) -> Exception:
    try:
        said = msgspec.json.decode(await answer.read(), type=_Status)
    except (msgspec.MsgspecError, *_NO_ANSWER):
        said = _Status()
    after = answer.headers.get(hdrs.RETRY_AFTER, "")
    return refusal(answer.status, said.message, said.reason, float(after) if after.isdigit() else None)


def _unreachable(server: str, error: BaseException) -> Unreachable:
    what = "it did not answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return Unreachable(f"The API server {server} cannot be reached: {what}")
