"""A hub on this machine: as much of Hugging Face's HTTP protocol as its own client needs to read a model's files.

Files are served from a folder, `resolve/<revision>/<file>`, with HEAD, GET and ranges. Every request is kept, so that a
test can tell how little was fetched.
"""

import contextlib
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "5b4f1c0dd2e7c8a1f3b6d9e0a7c4b2f1e8d3c6a5"
PLACE = re.compile(r"^/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)$")


@dataclass
class Hub:
    """The models that it has, and what it was asked."""

    models: dict[str, Path]
    gated: set[str] = field(default_factory=set)
    breaks_off: bool = False
    """Whether the line goes where tensors are asked for."""
    sent: int = 0
    """Bytes of bodies."""
    revisions: set[str] = field(default_factory=set)
    """That were asked for."""
    address: str = ""


@contextlib.contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub on a free port of localhost."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            _answer(self, hub, body=False)

        def do_GET(self) -> None:
            _answer(self, hub, body=True)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the base class)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, hub: Hub, *, body: bool) -> None:
    asked = PLACE.match(request.path)
    folder = hub.models.get(asked["repository"]) if asked else None
    if asked is None or folder is None:
        return _refuse(request, 404, "RepoNotFound")
    if asked["repository"] in hub.gated:
        return _refuse(request, 403, "GatedRepo")
    hub.revisions.add(asked["revision"])
    if asked["revision"] not in ("main", "v1", COMMIT):
        return _refuse(request, 404, "RevisionNotFound")
    if hub.breaks_off and asked["file"].endswith(".safetensors"):
        request.connection.shutdown(socket.SHUT_RDWR)
        return None
    file = folder / asked["file"]
    if not file.is_file():
        return _refuse(request, 404, "EntryNotFound")
    return _send(request, hub, file.read_bytes(), body=body)


def _send(request: BaseHTTPRequestHandler, hub: Hub, content: bytes, *, body: bool) -> None:
    span = re.match(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
    part = content[int(span[1]) : int(span[2]) + 1] if span else content
    request.send_response(206 if span else 200)
    request.send_header("Content-Length", str(len(part)))
    if span:
        request.send_header("Content-Range", f"bytes {span[1]}-{int(span[1]) + len(part) - 1}/{len(content)}")
    request.send_header("ETag", f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"')
    request.send_header("X-Repo-Commit", COMMIT)
    request.end_headers()
    if body:
        hub.sent += len(part)
        request.wfile.write(part)


def _refuse(request: BaseHTTPRequestHandler, status: int, code: str) -> None:
    request.send_response(status)
    request.send_header("X-Error-Code", code)
    request.send_header("X-Error-Message", code)
    request.send_header("Content-Length", "0")
    request.end_headers()
