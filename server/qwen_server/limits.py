"""What a request may weigh, checked before anything is parsed.

It must never read more than the limit, and never look at what the body says.
"""

import asyncio
from dataclasses import dataclass

from starlette.types import Receive, Scope

from qwen_server.errors import HEADERS_TOO_LARGE, IMPOSSIBLE, NOT_JSON, SLOW_BODY, TOO_LARGE, ApiError
from qwen_server.exchange import ClientGone
from qwen_server.structure import structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The weights. How deep JSON may nest (200) is the parser's own limit; message counts stand in the wire types."""

    body_bytes: int = 8 * 1024 * 1024
    """A prompt of 200,000 tokens is about 1 MB of English text; escaped code and tool results need head-room."""
    body_containers: int = 30_000
    """Objects and arrays: 4,096 messages with a tool call each have 20,000 (docs/decisions/0011)."""
    body_members: int = 100_000
    """Members of all objects: those messages have 33,000."""
    body_commas: int = 400_000
    """Twice the longest context, as token ids."""
    body_seconds: float = 60.0
    header_bytes: int = 10_000


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that name, which is given in lower case."""
    return next((value for key, value in scope["headers"] if key == name), None)


def check_headers(scope: Scope, limits: Limits) -> None:
    """Raises ApiError (431) when names and values together are too large."""
    if sum(len(name) + len(value) for name, value in scope["headers"]) > limits.header_bytes:
        raise ApiError(HEADERS_TOO_LARGE, f"The headers are larger than {limits.header_bytes} bytes.")


def check_content_type(scope: Scope) -> None:
    """Raises ApiError (415) unless the body is announced as JSON."""
    content_type = header(scope, b"content-type") or b""
    if content_type.split(b";", 1)[0].strip().lower() != b"application/json":
        raise ApiError(NOT_JSON, "The Content-Type must be application/json.")


def check_announced_length(scope: Scope, limits: Limits) -> None:
    """Raises ApiError (413) when the client itself says that the body is too large."""
    announced = header(scope, b"content-length") or b"0"
    if not announced.isdigit() or int(announced) > limits.body_bytes:
        raise too_large(limits)


def too_large(limits: Limits) -> ApiError:
    """The refusal of a body."""
    return ApiError(TOO_LARGE, f"The body is larger than {limits.body_bytes} bytes.")


def check_structure(body: bytes, limits: Limits) -> None:
    """Raises ApiError (400) when so much is made of so few bytes that reading it would hold everybody up."""
    found = structure(body)
    for count, limit, what in (
        (found.containers, limits.body_containers, "objects and arrays"),
        (found.members, limits.body_members, "members of objects"),
        (found.commas, limits.body_commas, "commas between values"),
    ):
        if count > limit:
            raise ApiError(IMPOSSIBLE, f"The body holds more than {limit} {what}.")


async def read_json_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body. Raises ApiError (408, 413, 415), or ClientGone if the client leaves while sending."""
    check_content_type(scope)
    check_announced_length(scope, limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await received(receive, limits)
    except TimeoutError:
        raise ApiError(SLOW_BODY, f"The body took longer than {limits.body_seconds:g} seconds to arrive.") from None


async def received(receive: Receive, limits: Limits) -> bytes:
    """The parts of the body put together, as long as they stay below the limit."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limits.body_bytes:
            raise too_large(limits)
        if not message.get("more_body", False):
            return b"".join(parts)
