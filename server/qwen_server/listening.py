"""Listeners: uvicorn without its own signals, log lines and plain-text answers.

It must never log a request, however malformed, nor say what software runs: both are within reach without a key.
"""

import contextlib
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from qwen_server.errors import MALFORMED, ApiError

LAST_WORDS_SECONDS = 2.0
"""How long interrupted answers may take to say so."""
IDLE_CONNECTION_SECONDS = 75
"""Longer than the 60 s for which proxies commonly keep idle connections, so that they close first."""
HEAD = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
BODY = ApiError(MALFORMED, "The request is not valid HTTP.").envelope()


def answering(cycle: RequestResponseCycle | None) -> bool:
    """Whether an answer is under way."""
    return cycle is not None and cycle.response_started and not cycle.response_complete


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP with our envelope around its one answer of its own."""

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses; in the middle of an answer nothing can be said any more."""
        del msg
        if not answering(self.cycle):
            self.transport.write(HEAD % len(BODY) + BODY)
        self.transport.close()


class Listener(uvicorn.Server):
    """uvicorn without its own handling of signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone: draining is not uvicorn's business."""
        yield


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
