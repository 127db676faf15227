"""The few calls that the driver makes to an API server, as JSON over the standard library's HTTPS.

kubectl would do, but each of its starts takes longer than all of these calls together.
"""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hack.cluster.identities import ADMIN

Json = dict[str, Any]


class ApiError(Exception):
    """The server answered with a status of 400 or above."""

    def __init__(self, request: str, status: int, content: bytes) -> None:
        super().__init__(f"{request}: {status} {content[:300].decode(errors='replace')}")
        self.status = status


class Api:
    """An API server, called as the administrator; every method may raise OSError or http.client.HTTPException."""

    def __init__(self, url: str, pki: Path, timeout: float = 10) -> None:
        self._address = urlsplit(url).netloc
        self._timeout = timeout
        self._context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._context.load_cert_chain(pki / f"{ADMIN.name}.crt", pki / f"{ADMIN.name}.key")

    def text(self, path: str) -> str:
        """The body of a GET.

        Raises:
            ApiError: the server said no.
        """
        return self._call("GET", path).decode()

    def get(self, path: str) -> Json:
        """The JSON document at a path."""
        return _document(self._call("GET", path))

    def apply(self, path: str, document: Json) -> Json:
        """Server-side apply, over whoever else owns a field."""
        query = "?fieldManager=qwen-operator-cluster&force=true"
        return _document(self._call("PATCH", path + query, document, "application/apply-patch+yaml"))

    def merge(self, path: str, document: Json) -> Json:
        """A JSON merge patch."""
        return _document(self._call("PATCH", path, document, "application/merge-patch+json"))

    def events(self, path: str) -> Iterator[Json]:
        """Events of a watch until the server ends it, beginning with what is there."""
        with closing(self._connection()) as connection:
            connection.request("GET", f"{path}?watch=true&timeoutSeconds={int(self._timeout) - 1}")
            for line in connection.getresponse():
                yield _document(line)

    def _call(self, method: str, path: str, document: Json | None = None, media: str = "application/json") -> bytes:
        with closing(self._connection()) as connection:
            body = None if document is None else json.dumps(document)
            connection.request(method, path, body, {"Content-Type": media})
            response = connection.getresponse()
            content = response.read()
        if response.status >= http.client.BAD_REQUEST:
            raise ApiError(f"{method} {path}", response.status, content)
        return content

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._address, timeout=self._timeout, context=self._context)


def _document(content: bytes) -> Json:
    document: Json = json.loads(content)
    return document
