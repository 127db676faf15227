"""A real object store, and a wire to it that can be cut.

The store is Versity's gateway over a folder (`make gateway`). The wire passes bytes on and counts them; on command it
closes a connection, or lets it fall silent.
"""

import contextlib
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
from obstore.store import S3Store

from hack.gateway.binary import binary
from tests.server_unit.waiting import wait_until
from tests.weights_unit.models import Files

ACCESS = "AKIACANARY0123"
SECRET = "canary/secret/0123"
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
BUCKET = "models"
PREFIX = "qwen/qwen3-test"
SOURCE = f"s3://{BUCKET}/{PREFIX}"


@dataclass
class Wire:
    """A port that leads to the store, and what happens on it."""

    target: int
    cuts: list[int] = field(default_factory=list)
    """Bytes from the store after which a connection is closed; one for each connection that gets so far."""
    silences: list[int] = field(default_factory=list)
    """Bytes after which nothing more is passed on."""
    before_a_cut: Callable[[], None] = lambda: None
    """Called when a connection is about to be closed."""
    port: int = 0
    passed: int = 0
    """Bytes from the store, over all connections."""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where a client goes."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the end."""
        listener.settimeout(0.05)
        threads = []
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                threads.append(threading.Thread(target=self.connect, args=(client,)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def connect(self, client: socket.socket) -> None:
        """Pass on until one side ends, or a fault says so."""
        with client, socket.create_connection(("127.0.0.1", self.target)) as store, contextlib.suppress(OSError):
            count = 0
            while not self.ended.is_set():
                ready, _, _ = select.select([client, store], [], [], 0.05)
                for source in ready:
                    data = source.recv(16_384)
                    if not data:
                        return
                    if source is client:
                        store.sendall(data)
                        continue
                    count += len(data)
                    if self.silences and count > self.silences[0]:
                        self.silences.pop(0)
                        self.ended.wait()
                        return
                    if self.cuts and count > self.cuts[0]:
                        self.cuts.pop(0)
                        self.before_a_cut()
                        return
                    client.sendall(data)
                    self.passed += len(data)


@dataclass(frozen=True)
class Bucket:
    """A store with one bucket, behind a wire."""

    wire: Wire
    direct: str
    """The store's own address."""

    def put(self, files: Files) -> None:
        """Upload, large files in parts as every tool does."""
        store = S3Store(
            BUCKET,
            prefix=PREFIX,
            endpoint=self.direct,
            access_key_id=ACCESS,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )
        for name, data in files.items():
            obstore.put(store, name, data, use_multipart=len(data) > 5_242_880, chunk_size=5_242_880)


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextmanager
def a_store(folder: Path) -> Iterator[int]:
    """The gateway over a folder, on a port."""
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    command = [str(binary()), "--port", f"127.0.0.1:{port}", "--access", ACCESS, "--secret", SECRET, "--quiet"]
    with subprocess.Popen(
        [*command, "posix", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: answers(port), 60)
            yield port
        finally:
            process.kill()


@contextmanager
def a_wire(target: int) -> Iterator[Wire]:
    """A way to a port."""
    wire = Wire(target)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire.port = listener.getsockname()[1]
        thread = threading.Thread(target=wire.serve, args=(listener,))
        thread.start()
        try:
            yield wire
        finally:
            wire.ended.set()
            thread.join()


@contextmanager
def a_bucket(folder: Path, files: Files) -> Iterator[Bucket]:
    """A bucket that holds a model."""
    with a_store(folder) as port, a_wire(port) as wire:
        bucket = Bucket(wire, f"http://127.0.0.1:{port}")
        bucket.put(files)
        yield bucket


class Refusal(BaseHTTPRequestHandler):
    """Says one thing, whatever is asked."""

    def __init__(self, status: int, body: bytes, *arguments: object) -> None:
        self.answer = status, body
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """The status and its body."""
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests have counts."""


@contextmanager
def a_refusal(status: int, body: bytes) -> Iterator[str]:
    """A store that answers so; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Refusal, status, body)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
