"""Listeners: uvicorn without its own signals, log lines and plain-text answers.

It must never log a request, however malformed, nor say what software runs: both are within reach without a key.
"""

import asyncio
import contextlib
from collections.abc import Generator
from http import HTTPStatus
from socket import SO_ERROR, SOL_SOCKET

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from qwen_server.errors import HEADERS_TOO_LARGE, MALFORMED, ApiError
from qwen_server.sse import COMMENT

LAST_WORDS_SECONDS = 2.0
"""How long interrupted answers may take to say so."""
IDLE_CONNECTION_SECONDS = 75
"""Longer than the 60 s for which proxies commonly keep idle connections, so that they close first."""
STILL_LISTENING = b"HTTP/1.1 100 Continue\r\n\r\n"
STILL_STREAMING = b"%x\r\n%s\r\n" % (len(COMMENT), COMMENT)
"""As a chunk; nothing but events is sent in chunks, and their readers pass over it."""
LOOK_SECONDS = 0.05
"""How soon a client that left is noticed, besides the time to it and back."""
HEAD_BYTES = 512 * 1024
"""Of a request's head before its end is known; more than is read from a connection at once. `Limits` judges it then."""
HEAD = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
NO_HTTP = ApiError(MALFORMED, "The request is not valid HTTP.")
ENDLESS = ApiError(HEADERS_TOO_LARGE)


def last_words(error: ApiError) -> bytes:
    """An answer as bytes, for what never became a request."""
    status, body = HTTPStatus(error.kind.status), error.envelope()
    return HEAD % (status, status.phrase.encode(), len(body)) + body


def answering(cycle: RequestResponseCycle | None) -> bool:
    """Whether an answer is under way."""
    return cycle is not None and cycle.response_started and not cycle.response_complete


def waited_for(cycle: RequestResponseCycle | None) -> bool:
    """Whether a whole request has come, and its answer has not gone."""
    return cycle is not None and not cycle.more_body and not cycle.response_complete


def question(cycle: RequestResponseCycle) -> bytes:
    """What may be said to a client at this moment without saying anything; nothing if there is no such thing."""
    if cycle.response_started:
        return STILL_STREAMING if cycle.chunked_encoding else b""
    return STILL_LISTENING if cycle.scope["http_version"] == "1.1" else b""


def refused(transport: asyncio.Transport) -> bool:
    """Whether the other side has answered with a reset."""
    return bool(transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_ERROR))


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP with our envelope around its one answer of its own, and an ear for who still listens."""

    head_bytes: int | None = None
    """Of the head that is being read."""

    def eof_received(self) -> bool:  # type: ignore[override]
        """True keeps the connection: the client has closed its own side, and may wait for its answer or have left.

        TCP tells of both in the same way, but who has left answers whatever is sent with a reset.
        """
        cycle = self.cycle
        if not waited_for(cycle) or self.pipeline:
            return False
        asked = question(cycle)
        if asked:
            cycle.keep_alive = False
            self.transport.write(asked)
            self.look(cycle)
        return bool(asked)

    def look(self, cycle: RequestResponseCycle) -> None:
        """Look again and again, until the answer is complete, whether the client is gone: nobody reads any more."""
        if cycle.response_complete or self.transport.is_closing():
            return
        if refused(self.transport):
            self.transport.abort()
        else:
            self.loop.call_later(LOOK_SECONDS, self.look, cycle)

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses."""
        del msg
        self.give_up(NO_HTTP)

    def give_up(self, error: ApiError) -> None:
        """Answer and close; in the middle of an answer nothing can be said any more."""
        if not answering(self.cycle):
            self.transport.write(last_words(error))
        self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self.head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has ended."""
        self.head_bytes = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """A head that does not end is given up: nobody has shown a key yet."""
        super().data_received(data)
        if self.head_bytes is not None:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.give_up(ENDLESS)


class Listener(uvicorn.Server):
    """uvicorn without its own handling of signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone: draining is not uvicorn's business."""
        yield

    def let_go(self) -> None:
        """Keep no connection: an idle one ends now, another one behind its answer."""
        for connection in list(self.server_state.connections):
            connection.shutdown()


def listener(app: ASGIApp) -> Listener:
    """A listener that logs nothing of requests (its warnings are all about those) and names no software."""
    return Listener(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_CONNECTION_SECONDS,
            timeout_graceful_shutdown=int(LAST_WORDS_SECONDS),
        )
    )
