"""Every error a client can get, in one table, and the one envelope they all wear.

A message is one sentence that names what to change. It must never hold content, a key, a server flag or a Python value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

Header = tuple[bytes, bytes]

RETRY_AFTER_SECONDS = 5
"""What a client is told to wait while the server starts, drains or hangs: about one probe period."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table: status, OpenAI's type and code, what it means, headers that belong to it."""

    status: int
    type: str
    code: str | None
    meaning: str
    headers: tuple[Header, ...] = ()


CALLER = "invalid_request_error"
SERVER = "server_error"
RETRY: tuple[Header, ...] = ((b"retry-after", str(RETRY_AFTER_SECONDS).encode()),)
CLOSE: tuple[Header, ...] = ((b"connection", b"close"),)

MALFORMED = Kind(400, CALLER, None, "The body is no JSON object.")
IMPOSSIBLE = Kind(400, CALLER, None, "A parameter has a value that cannot be honoured.")
UNSUPPORTED = Kind(400, CALLER, "unsupported_parameter", "The server or the model cannot do this.")
MODEL_MISSING = Kind(400, CALLER, None, "The request names no model.")
MODEL_UNKNOWN = Kind(400, CALLER, "model_not_found", "The request names a model that is not served here.")
CONTEXT_EXCEEDED = Kind(400, CALLER, "context_length_exceeded", "Prompt and completion do not fit the context.")
UNAUTHORIZED = Kind(
    401,
    CALLER,
    "invalid_api_key",
    "The Authorization header holds no valid key.",
    ((b"www-authenticate", b"Bearer"),),
)
NOT_FOUND = Kind(404, CALLER, None, "There is nothing at this path.")
NO_SUCH_MODEL = Kind(404, CALLER, "model_not_found", "There is no model of this name.")
METHOD_NOT_ALLOWED = Kind(405, CALLER, None, "The path does not answer this method; Allow lists those it does.")
SLOW_BODY = Kind(408, CALLER, None, "The body did not arrive in time.", CLOSE)
TOO_LARGE = Kind(413, CALLER, None, "The body is larger than the server takes.", CLOSE)
NOT_JSON = Kind(415, CALLER, None, "The content type is not application/json.")
INVALID = Kind(422, CALLER, None, "A field is missing or has the wrong type.")
HEADERS_TOO_LARGE = Kind(431, CALLER, None, "The headers are larger than the server takes.", CLOSE)
INTERNAL = Kind(500, SERVER, None, "The server failed; its journal holds the request id.")
ENGINE_DEAD = Kind(500, SERVER, "engine_dead", "The engine died; the server restarts.")
STARTING = Kind(503, SERVER, "model_loading", "The model is still loading.", RETRY)
ENGINE_SILENT = Kind(503, SERVER, "engine_unresponsive", "The engine does not answer at the moment.", RETRY)
DRAINING = Kind(503, SERVER, "shutting_down", "The server is shutting down.", RETRY + CLOSE)
INTERRUPTED = Kind(503, SERVER, "shutting_down", "The server shut down before the answer was complete.", RETRY + CLOSE)

KINDS = (
    *(MALFORMED, IMPOSSIBLE, UNSUPPORTED, MODEL_MISSING, MODEL_UNKNOWN, CONTEXT_EXCEEDED, UNAUTHORIZED),
    *(NOT_FOUND, NO_SUCH_MODEL, METHOD_NOT_ALLOWED, SLOW_BODY, TOO_LARGE, NOT_JSON, INVALID, HEADERS_TOO_LARGE),
    *(INTERNAL, ENGINE_DEAD, STARTING, ENGINE_SILENT, DRAINING, INTERRUPTED),
)
"""The whole table, in the order of its statuses."""


class ApiError(Exception):
    """An answer that is an error: a row of the table, a sentence, and the parameter to blame."""

    def __init__(
        self, kind: Kind, message: str | None = None, param: str | None = None, headers: Sequence[Header] = ()
    ) -> None:
        super().__init__(message or kind.meaning)
        self.kind = kind
        self.message = message or kind.meaning
        self.param = param
        self.headers = (*kind.headers, *headers)

    def envelope(self) -> bytes:
        """`{"error": {"message", "type", "param", "code"}}` as JSON."""
        error = {"message": self.message, "type": self.kind.type, "param": self.param, "code": self.kind.code}
        return orjson.dumps({"error": error})


def internal(request_id: str) -> ApiError:
    """The opaque answer to a defect of ours: all it tells is where to look."""
    return ApiError(INTERNAL, f"The server failed to answer; its journal has the reason under request {request_id}.")
