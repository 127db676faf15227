"""What the API server may answer instead of what was asked, as exceptions by HTTP status.

Why it exists: callers decide by kind of refusal, not by number. A refusal carries the server's own sentence, cut short;
it must never carry a request's body, since that may hold a key.
"""

from http import HTTPStatus

LONGEST_SENTENCE = 500
"""Characters kept of the API server's message: enough for its reason, too few for a dump of the object."""


class Refusal(Exception):  # noqa: N818  (the API server refuses; that is its right)
    """A request that was answered, but not with what was asked."""

    status: int = 0

    def __init__(self, message: str, *, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message[:LONGEST_SENTENCE])
        self.reason = reason
        self.retry_after = retry_after


class Unreachable(Refusal):
    """No answer at all: refused connection, reset, or time out. Whether a write happened is unknown."""


class Unauthorized(Refusal):
    """401: the credentials are not, or no longer, good."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Refusal):
    """403: a right is missing, or an admission rule or a quota says no."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Refusal):
    """404: neither the object, nor perhaps its kind, exists."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Refusal):
    """409: it exists already, or changed since it was read, or its uid is another one."""

    status = HTTPStatus.CONFLICT


class Gone(Refusal):
    """410: the version asked for is too old; list again."""

    status = HTTPStatus.GONE


class Invalid(Refusal):
    """400 or 422: the object cannot be as it was sent."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Busy(Refusal):
    """429: too many requests; `retry_after` says when."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Broken(Refusal):
    """5xx and anything unforeseen: the server's fault."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class NotLeading(Refusal):
    """We refused it ourselves: a write without the Lease in hand never leaves the process."""


_KINDS: tuple[type[Refusal], ...] = (Unauthorized, Forbidden, NotFound, Conflict, Gone, Invalid, Busy)
_BY_STATUS: dict[int, type[Refusal]] = {kind.status: kind for kind in _KINDS} | {HTTPStatus.BAD_REQUEST: Invalid}


def refusal(status: int, message: str, reason: str = "", retry_after: float | None = None) -> Refusal:
    """The exception for an HTTP status.

    :param status: of the answer, 400 or more.
    :param message: the `message` of the answer's Status object, or an own sentence.
    :param retry_after: seconds, from the header of the same name.
    """
    return _BY_STATUS.get(status, Broken)(message or f"HTTP {status}", reason=reason, retry_after=retry_after)
