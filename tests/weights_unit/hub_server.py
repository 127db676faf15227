"""A hub: a real HTTP server with the paths, headers and errors of the Hugging Face hub, and faults on command.

Files of more than `LARGE` bytes are kept as on the hub's LFS: /resolve redirects to another server, which sends their
bytes. Both servers count what they send.
"""

import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.weights_unit.models import Files, git_blob, sha256

LARGE = 50_000
REPOSITORY = "Qwen/Qwen3-Test"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_canary_0123"
API = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?")
RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
STEP = 16_384


@dataclass
class Faults:
    """What goes wrong. A fault of a file is used up from the front of its list, one for each request of content."""

    api: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the next answers of the API."""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which the connection is closed."""
    statuses: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    """Answers instead of content."""
    wrong: dict[str, list[int]] = field(default_factory=dict)
    """Places of a byte that is sent wrong."""
    silent: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which nothing comes any more, until it shall speak."""
    pace: float = 0.0
    """Seconds of rest after each step of content."""
    ranges: bool = True
    """Whether ranges are answered as ranges."""


@dataclass
class Hub:
    """What the servers share with the test."""

    files: Files
    faults: Faults = field(default_factory=Faults)
    token: str | None = None
    """What is asked for, if anything."""
    gated: bool = False
    commit: str = COMMIT
    url: str = ""
    store_url: str = ""
    xet: Callable[[str], dict[str, str]] | None = None
    """Headers that offer the fast transfer of a file."""
    cas_url: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path, and Authorization header."""
    store_requests: list[tuple[str, str]] = field(default_factory=list)
    """Path, and Authorization header, at the second server."""
    times: list[float] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes of content by name of file."""
    served: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """From which byte on a file was sent, each time."""
    ended: threading.Event = field(default_factory=threading.Event)
    speaking: threading.Event = field(default_factory=threading.Event)
    """Set when what was silent shall end."""
    bare: bool = False
    """Whether files are told by name alone, as some mirrors do."""
    doors: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """Repositories at which everybody is refused, with status and headers."""
    others: dict[str, Files] = field(default_factory=dict)
    """Further repositories, with small files."""
    claimed: dict[str, int] = field(default_factory=dict)
    """Bytes that files are said to have, by name, where that is not so."""

    finished: dict[str, int] = field(default_factory=dict)
    """Bytes that were sent of a file when it was seen whole on the other side."""

    def finish(self, names: Iterable[str]) -> None:
        """These are whole now."""
        for name in names:
            self.finished.setdefault(name, self.sent[name])

    def sent_again(self) -> set[str]:
        """Files of which something was sent after they were whole."""
        return {name for name, count in self.finished.items() if self.sent[name] > count}

    def requested(self, before: Mapping[str, Collection[int]] | None = None) -> dict[str, list[int]]:
        """From which bytes on each file was asked for, in all or since then."""
        return {name: starts[len((before or {}).get(name, ())) :] for name, starts in list(self.served.items())}

    def total(self) -> int:
        """Bytes of content that were sent."""
        return sum(self.sent.values())


def popped(faults: dict[str, list[int]], name: str) -> int | None:
    """The next fault of a file."""
    return faults[name].pop(0) if faults.get(name) else None


class Content(BaseHTTPRequestHandler):
    """Sends files, in ranges and with faults."""

    protocol_version = "HTTP/1.1"

    def __init__(self, hub: Hub, *arguments: object) -> None:
        self.hub = hub
        super().__init__(*arguments)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Tests have counts."""

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self, name: str, extra: dict[str, str], data: bytes) -> None:
        """A file, from where the range says."""
        faults = self.hub.faults
        if (refused := faults.statuses.get(name)) and self.command == "GET":
            self.answer(*refused.pop(0))
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if faults.ranges else None
        start = int(asked[1]) if asked else 0
        if asked and asked[2]:
            data = data[: int(asked[2]) + 1]
        if asked and start >= len(data):
            self.answer(416, {"Content-Range": f"bytes */{len(data)}"})
            return
        self.send_response(206 if asked else 200)
        headers = {
            "Content-Length": str(len(data) - start),
            "ETag": f'"{sha256(data)}"',
            "Accept-Ranges": "bytes",
            **extra,
        }
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.body(name, data, start)

    def body(self, name: str, data: bytes, start: int) -> None:
        """The bytes, with what goes wrong."""
        faults = self.hub.faults
        self.hub.served[name].append(start)
        cut, silent, wrong = popped(faults.cuts, name), popped(faults.silent, name), popped(faults.wrong, name)
        if wrong is not None:
            data = data[:wrong] + bytes([data[wrong] ^ 1]) + data[wrong + 1 :]
        end = min(len(data), *(start + stop for stop in (cut, silent) if stop is not None), len(data))
        with suppress(ConnectionError):
            for offset in range(start, end, STEP):
                piece = data[offset : min(offset + STEP, end)]
                self.wfile.write(piece)
                self.hub.sent[name] += len(piece)
                if faults.pace:
                    self.hub.ended.wait(faults.pace)
            self.wfile.flush()
        if silent is not None:
            self.hub.speaking.wait()
        if cut is not None or silent is not None:
            self.close_connection = True


class Front(Content):
    """The hub itself."""

    def do_HEAD(self) -> None:
        """As GET, without the content."""
        self.do_GET()

    def do_GET(self) -> None:
        """The API, and /resolve."""
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        authorization = self.headers.get("Authorization", "")
        hub.requests.append((self.command, path, authorization))
        hub.times.append(time.monotonic())
        if path == "/xet-token":
            self.answer(200, {}, json.dumps({"accessToken": "x", "exp": 4_000_000_000, "casUrl": hub.cas_url}).encode())
        elif refusal := self.refusal(path, authorization):
            self.answer(*refusal)
        elif matched := API.fullmatch(path):
            self.api(matched[1], matched[2])
        elif matched := RESOLVE.fullmatch(path):
            self.resolve(matched[1], matched[3])
        else:
            self.answer(404, {})

    def refusal(self, path: str, authorization: str) -> tuple[int, dict[str, str]] | None:
        """Who may not come in, in the hub's own headers."""
        hub, repository = self.hub, "/".join(path.removeprefix("/api/models").split("/")[1:3])
        if hub.faults.api and API.fullmatch(path):
            return hub.faults.api.pop(0)
        if hub.token and not authorization:
            return 401, {"X-Error-Code": "GatedRepo" if hub.gated else "RepoNotFound"}
        if hub.token and authorization != f"Bearer {hub.token}":
            return 401, {"X-Error-Message": "Invalid credentials in Authorization header"}
        if hub.gated:
            return 403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted"}
        known = {REPOSITORY, *hub.others}
        return hub.doors.get(repository) or (None if repository in known else (404, {"X-Error-Code": "RepoNotFound"}))

    def api(self, repository: str, revision: str | None) -> None:
        """The files of a revision, as /api/models/…?blobs=true says them."""
        if revision not in (None, "main", "v1", self.hub.commit):
            self.answer(404, {"X-Error-Code": "RevisionNotFound"})
            return
        bare, files = self.hub.bare, self.hub.others.get(repository, self.hub.files)
        siblings = [{"rfilename": name} if bare else self.sibling(name, data) for name, data in files.items()]
        told = {"id": repository, "modelId": repository, "sha": self.hub.commit, "siblings": siblings, "tags": []}
        self.answer(200, {"Content-Type": "application/json"}, json.dumps(told).encode())

    def sibling(self, name: str, data: bytes) -> dict[str, object]:
        """A file in the API's answer."""
        size = self.hub.claimed.get(name, len(data))
        told: dict[str, object] = {"rfilename": name, "size": size, "blobId": git_blob(data)}
        if size > LARGE:
            told["lfs"] = {"sha256": sha256(data), "size": size, "pointerSize": 134}
        return told

    def resolve(self, repository: str, name: str) -> None:
        """Small files at once, large ones elsewhere."""
        hub = self.hub
        files = hub.others.get(repository, hub.files)
        if name not in files:
            self.answer(404, {"X-Error-Code": "EntryNotFound"})
        elif len(files[name]) <= LARGE:
            headers = {"X-Repo-Commit": hub.commit, "ETag": f'"{git_blob(files[name])}"'}
            self.content(name, headers, files[name])
        else:
            data = files[name]
            linked = {
                "X-Linked-Size": str(len(data)),
                "X-Linked-Etag": f'"{sha256(data)}"',
                "X-Repo-Commit": hub.commit,
            }
            offered = hub.xet(name) if hub.xet else {}
            self.answer(302, {"Location": f"{hub.store_url}/lfs/{name}?signature=canary-sig", **linked, **offered})


class Store(Content):
    """Where the bytes of large files come from."""

    def do_GET(self) -> None:
        """Content."""
        path = urlsplit(self.path).path
        self.hub.store_requests.append((path, self.headers.get("Authorization", "")))
        self.hub.times.append(time.monotonic())
        name = path.removeprefix("/lfs/")
        self.content(name, {}, self.hub.files[name])


class Quiet(ThreadingHTTPServer):
    """A client that is killed is what tests are about."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


def a_hub(files: Files, **settings: object) -> AbstractContextManager[Hub]:
    """Two servers on free ports of two host names, so that a redirect leads to another host."""
    return a_hub_on(("127.0.0.1", 0), ("localhost", 0), Hub(files, **settings))  # type: ignore[arg-type]


@contextmanager
def a_hub_on(front: tuple[str, int], store: tuple[str, int], hub: Hub) -> Iterator[Hub]:
    """The two servers at these addresses; port 0 takes a free one."""
    servers = [Quiet(front, partial(Front, hub)), Quiet(store, partial(Store, hub))]
    hub.url, hub.store_url = (
        f"http://{host}:{server.server_address[1]}" for (host, _), server in zip((front, store), servers, strict=True)
    )
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.ended.set()
        hub.speaking.set()
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
