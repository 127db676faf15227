"""Answers as ASGI messages, built by hand: a response object a request is what the streamed path cannot afford.

It must never decide what is answered.
"""

from collections.abc import Iterable

from starlette.types import Send

from qwen_server.errors import ApiError, Header

JSON: Header = (b"content-type", b"application/json")


async def respond(
    send: Send, body: bytes, status: int = 200, headers: Iterable[Header] = (), content_type: Header = JSON
) -> None:
    """Send one whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [content_type, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: ApiError) -> None:
    """Send an error in the envelope."""
    await respond(send, error.envelope(), error.kind.status, error.headers)
