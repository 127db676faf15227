"""The Kubernetes API as the few verbs that the operator needs, in plain dictionaries.

Why it exists: everything above speaks of kinds and objects; paths, patch types and preconditions are here and nowhere
else. It must never decide anything, and holds no verb that reads a Secret.
"""

import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec

from qwen_operator.core import names
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.refusals import Unreachable, refusal
from qwen_operator.transport import Transport

PAGE = 100
"""Objects a page of a list: 500 pods at once would leave 20 MB of holes in the heap."""
SILENCE = 75.0
"""Seconds without a byte after which a watch is taken for dead; the API server sends a bookmark about once a minute."""
WATCH_SECONDS = (200, 280)
"""A watch is asked to end after a random time between these, so that watches don't all begin anew at once."""
APPLY = "application/apply-patch+yaml"
NOBODYS_VERSION = "1"
"""The version of the empty store, which no object ever has: an apply that names it creates, or is refused (409)."""

_WATCHING = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE)


class Event(msgspec.Struct):
    """One line of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: dict[str, Any]


class Page(msgspec.Struct):
    """One page of a list: objects without the fields that only others need, the version, and where to go on."""

    items: list[dict[str, Any]]
    metadata: dict[str, Any]

    @property
    def version(self) -> str:
        """The resource version to watch from."""
        return str(self.metadata.get("resourceVersion", ""))

    @property
    def rest(self) -> str:
        """The token for the next page; empty on the last."""
        return self.metadata.get("continue") or ""


_events = msgspec.json.Decoder(Event)
_pages = msgspec.json.Decoder(Page)


class Cluster:
    """Verbs on objects. Each raises a `refusals.Refusal` by status; what it returns is the server's answer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list_page(
        self, kind: Kind, namespace: str | None, *, selector: str = "", rest: str = "", limit: int = PAGE
    ) -> Page:
        """One page of the objects in a namespace, or in all."""
        query = {"limit": str(limit), **_given(labelSelector=selector, **{"continue": rest})}
        page = _pages.decode(await self._transport.request("GET", kind.path(namespace), query=query))
        for item in page.items:  # the API server says in a list's head only what its items are
            item |= {"apiVersion": kind.api_version, "kind": kind.kind}
        return page

    async def pages(self, kind: Kind, namespace: str | None, *, selector: str = "") -> AsyncGenerator[Page, None]:
        """All pages, one after the other; the version of the first is the one from which a watch loses nothing.

        :raises Gone: the rest expired; begin anew.
        """
        page = await self.list_page(kind, namespace, selector=selector)
        yield page
        while page.rest:
            page = await self.list_page(kind, namespace, selector=selector, rest=page.rest)
            yield page

    async def watch(
        self, kind: Kind, namespace: str | None, *, selector: str = "", version: str
    ) -> AsyncGenerator[Event, None]:
        """What changes after a version, until the server ends it.

        :raises Gone: the version is too old, said at once or in the stream.
        :raises Unreachable: the stream broke, or nothing was heard for `SILENCE` seconds.
        """
        seconds = str(random.randint(*WATCH_SECONDS))  # noqa: S311  (spreads load, hides nothing)
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": seconds}
        query |= _given(labelSelector=selector)
        async with self._transport.stream(kind.path(namespace), query, _WATCHING) as content:
            yield Event("BOOKMARK", {})  # the server answered: that counts as heard
            async for line in _lines(content):
                event = _events.decode(line)
                if event.type == "ERROR":
                    raise refusal(int(event.object.get("code") or 500), event.object.get("message") or "")
                yield event

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """The object as the quorum has it, whatever a cache says."""
        return _decode(await self._transport.request("GET", kind.path(namespace, name)))

    async def apply(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Server-side apply. With `metadata.uid` in it, an object of another uid is refused (409)."""
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
        url = kind.path(*_place(manifest))
        return _decode(await self._transport.request("PATCH", url, query=query, body=manifest, content_type=APPLY))

    async def introduce(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Server-side apply of an object that is not there yet; `Conflict` if one of the name is."""
        metadata = manifest["metadata"] | {"resourceVersion": NOBODYS_VERSION}
        return await self.apply(kind, manifest | {"metadata": metadata})

    async def create(self, kind: Kind, manifest: Manifest) -> None:
        """Create; `Conflict` if it is there. The answer is dropped unread: it may hold what nobody should keep."""
        namespace, _ = _place(manifest)
        query = {"fieldManager": names.FIELD_MANAGER}
        await self._transport.request("POST", kind.path(namespace), query=query, body=manifest)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete this very object: one of the same name with another uid is left alone (409)."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._transport.request("DELETE", kind.path(namespace, name), body=body)

    async def replace(self, kind: Kind, manifest: Manifest, *, seconds: float) -> Manifest:
        """Write a whole object over the version that was read; `Conflict` if another one came between."""
        timeout = aiohttp.ClientTimeout(total=seconds)
        url = kind.path(*_place(manifest))
        return _decode(await self._transport.request("PUT", url, body=manifest, timeout=timeout))


def _place(manifest: Mapping[str, Any]) -> tuple[str, str]:
    metadata = manifest["metadata"]
    return metadata["namespace"], metadata["name"]


def _decode(body: bytes) -> Manifest:
    answer: Manifest = msgspec.json.decode(body)
    return answer


def _given(**query: str) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines of any length; aiohttp's own `readline` refuses long ones."""
    rest = b""
    try:
        async for chunk in content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line:
                    yield line
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable(f"The watch broke off: {str(error) or type(error).__name__}") from error
