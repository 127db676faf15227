"""What is known of one kind: the newest version of each object that a list, a watch or an answer brought.

Why it exists: a reconcile reads nothing from the API server. Objects are kept as compact JSON, a fifth of what Python's
dictionaries take, and decoded when read. A list replaces what it lacks; an older version never overwrites a newer one.
It must never wake anybody for what changes nothing, and forget nothing on a mere hint.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple, Protocol

import msgspec

from qwen_operator.core.snapshot import Manifest
from qwen_operator.keys import Key, key_of


class Page(Protocol):
    """One page of a list."""

    items: list[Manifest]

    @property
    def version(self) -> str:
        """The resource version of the list."""


OnChange = Callable[[Key, Manifest | None, Manifest | None], None]
"""Told of each change: the object's place, what it was, what it is. It must not wait or fail."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class _Entry(NamedTuple):
    version: int
    group: str
    body: bytes


class _Held(NamedTuple):
    """A change that nobody was told of yet."""

    version: int
    before: bytes | None


class Cache:
    """Objects of one kind by namespace and name.

    :param group_of: the group an object belongs to within its namespace, or an empty string; see `members`.
    """

    def __init__(self, on_change: OnChange, *, group_of: Callable[[Manifest], str] = lambda _: "") -> None:
        self._on_change = on_change
        self._group_of = group_of
        self._entries: dict[Key, _Entry] = {}
        self._groups: dict[Key, set[Key]] = {}
        self._held: dict[Key, list[_Held]] = {}
        self.gone: dict[Key, int] = {}
        """At which version objects were deleted, until the next list: what is said late of them counts for nothing."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._entries))

    def get(self, key: Key) -> Manifest | None:
        """The newest known version, or None."""
        entry = self._entries.get(key)
        return None if entry is None else _decode(entry.body)

    def members(self, namespace: str, group: str) -> tuple[Key, ...]:
        """The places of a group's objects, by name."""
        return tuple(sorted(self._groups.get(Key(namespace, group), ())))

    @contextlib.contextmanager
    def writing(self, key: Key) -> Iterator[None]:
        """While we write an object, hold back what a watch tells of it: mostly that very write, before its answer.

        What is not its answer is told behind. An object has one writer at a time.
        """
        self._held[key] = []
        try:
            yield
        finally:
            if held := self._held.pop(key, None):
                now = self._entries.get(key)
                self._on_change(
                    key, _decode(held[0].before) if held[0].before else None, _decode(now.body) if now else None
                )

    def put(self, manifest: Manifest, *, silently: bool = False) -> None:
        """Keep an object unless a newer version is known.

        :param silently: it is the answer to our own write and holds nothing else that is new, so nobody is woken.
        """
        key, entry = self._entry(manifest)
        old = self._entries.get(key)
        if silently and [each.version for each in self._held.get(key, ())] == [entry.version]:
            self._held[key].clear()
        if entry.version <= (old.version if old else self.gone.get(key, -1)):
            return
        self.gone.pop(key, None)
        self._store(key, old, entry)
        if silently or (old is not None and _meaning(old.body) == _meaning(entry.body)):
            return
        if key in self._held:
            self._held[key].append(_Held(entry.version, old.body if old else None))
        else:
            self._on_change(key, _decode(old.body) if old else None, manifest)

    def drop(self, key: Key, version: int) -> None:
        """Forget an object that was deleted at a version, unless a newer one came after it."""
        old = self._entries.get(key)
        if old is not None and version < old.version:
            return
        self.gone[key] = version
        if old is None:
            return
        self._store(key, old, None)
        self._on_change(key, _decode(old.body), None)

    async def replace(self, pages: AsyncIterator[Page], *, namespace: str | None) -> str:
        """Take a whole list, page by page, and return its version, to watch from.

        What it brings is kept, and what it lacks was deleted, unless it was written after the list was begun.
        """
        seen, begun = set(), ""
        async for page in pages:
            begun = begun or page.version
            for manifest in page.items:
                seen.add(key_of(manifest))
                self.put(manifest)
        version = int(begun) if begun.isdigit() else 0
        self._drop_unseen(seen, namespace, version)
        self.gone = {key: at for key, at in self.gone.items() if at > version}
        return begun

    def _drop_unseen(self, seen: set[Key], namespace: str | None, version: int) -> None:
        for key in self:
            if key not in seen and namespace in (None, key.namespace):
                self.drop(key, version)

    def _entry(self, manifest: Manifest) -> tuple[Key, _Entry]:
        metadata = manifest["metadata"]
        metadata.pop("managedFields", None)
        return key_of(manifest), _Entry(version_of(manifest), self._group_of(manifest), _encode(manifest))

    def _store(self, key: Key, old: _Entry | None, new: _Entry | None) -> None:
        if old is not None and old.group:
            group = Key(key.namespace, old.group)
            self._groups[group].discard(key)
            if not self._groups[group]:
                del self._groups[group]
        if new is None:
            del self._entries[key]
            return
        self._entries[key] = new
        if new.group:
            self._groups.setdefault(Key(key.namespace, new.group), set()).add(key)


def version_of(manifest: Any) -> int:
    """The resource version as a number: comparable within a kind, by contract since Kubernetes 1.35."""
    version = manifest["metadata"].get("resourceVersion", "")
    return int(version) if str(version).isdigit() else 0


def _meaning(body: bytes) -> Manifest:
    """An object without the marks that change with every write."""
    manifest: Manifest = _decode(body)
    manifest["metadata"].pop("resourceVersion", None)
    return manifest
