"""What a running fetch says of itself: a line at most every ten seconds, and /progress for whoever asks.

It must never say more than counts, stages and our own sentences.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from qwen_server.journal import Journal
from qwen_server.weights.progress import Gauge
from qwen_server.weights.reasons import Reason

PERIOD: Final = 10.0
"""Seconds between two lines."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET /progress with the gauge's document, and nothing else."""

    timeout = 10
    server_version = "qwen-weights"
    sys_version = ""

    def __init__(self, gauge: Gauge, *arguments: object) -> None:
        self._gauge = gauge
        super().__init__(*arguments)  # type: ignore[arg-type]  # the three that a server passes

    def do_GET(self) -> None:
        """One document, or 404."""
        found = self.path == "/progress"
        body = json.dumps(self._gauge.document() if found else {"error": "There is only /progress."}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """No line for each request."""


class Listener(ThreadingHTTPServer):
    """The management port. One that asks and goes away is not worth a word."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def reporting(gauge: Gauge, journal: Journal, host: str, port: int) -> Iterator[int]:
    """Tell of a gauge while the block runs; gives the port. Raises WeightsError where it is taken."""
    try:
        listener = Listener((host, port), partial(Handler, gauge))
    except OSError as error:
        why = f"Cannot listen on {host} port {port} ({error.strerror}); choose another --management-port."
        raise Reason.INVALID_ARGUMENT.about(why=why) from None
    ended = threading.Event()
    threads = [
        threading.Thread(target=listener.serve_forever, name="progress", daemon=True),
        threading.Thread(target=_tell, args=(gauge, journal, ended), name="lines", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield listener.server_address[1]
    finally:
        ended.set()
        listener.shutdown()
        listener.server_close()
        for thread in threads:
            thread.join()


def _tell(gauge: Gauge, journal: Journal, ended: threading.Event) -> None:
    while not ended.wait(PERIOD):
        journal.note("progress", **gauge.document())
