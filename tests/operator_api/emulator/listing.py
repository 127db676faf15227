"""Lists: in pages, by selectors, and, if a test wants it, as an API server answers that lags behind."""

import itertools
from collections import defaultdict, deque

import msgspec

from tests.operator_api.emulator.asking import Answer, Asked, Request, selected
from tests.operator_api.emulator.faults import Faults
from tests.operator_api.emulator.kinds import BY_PLURAL
from tests.operator_api.emulator.memory import Happening, Manifest, Memory, Refused

PAGES_KEPT = 64
"""Continue tokens that are good at a time; older ones have expired."""
LATEST = 100
"""Changes of a resource that an answer can lack; what was before them is kept as it came to be."""
Place = tuple[str, str]
"""Namespace and name."""


class Past:
    """The changes of one resource: the latest one by one, what they began with as a whole."""

    def __init__(self) -> None:
        self.began: dict[Place, Manifest] = {}
        self.began_at = 0
        """Version of the last change that is in `began`; 0 if none is."""
        self.latest: deque[Happening] = deque()

    def note(self, happening: Happening) -> None:
        """One more; what is too long ago is only remembered by what it came to."""
        self.latest.append(happening)
        if len(self.latest) > LATEST:
            old = self.latest.popleft()
            change(self.began, old)
            self.began_at = old.version

    def before(self, count: int) -> tuple[dict[Place, Manifest], int]:
        """What there was before the last so many changes, and its version."""
        seen = list(self.latest)[: max(0, len(self.latest) - count)]
        there = dict(self.began)
        for each in seen:
            change(there, each)
        first = self.latest[0].version - 1 if self.latest else 0
        return there, seen[-1].version if seen else self.began_at or first


def change(there: dict[Place, Manifest], happening: Happening) -> None:
    """Let something happen to what there is."""
    metadata = happening.manifest["metadata"]
    place = metadata.get("namespace", ""), metadata["name"]
    there.pop(place, None)
    if happening.type != "DELETED":
        there[place] = happening.manifest


class Lists:
    """The answers to lists."""

    def __init__(self, objects: Memory, faults: Faults) -> None:
        self._objects = objects
        self._faults = faults
        self._tokens = itertools.count(1)
        self._pages: dict[str, list[Manifest]] = {}
        self._past: dict[str, Past] = defaultdict(Past)
        objects.listeners.append(lambda happening: self._past[happening.resource].note(happening))

    def forget(self) -> None:
        """Whoever goes on with a page from before is told 410."""
        self._pages.clear()

    def answer(self, asked: Asked, request: Request) -> Answer:
        """A list, or the next page of one.

        :raises Refused: 410, where the page is no longer kept.
        """
        token, limit = request.query.get("continue", ""), int(request.query.get("limit") or 0)
        if token and token not in self._pages:
            raise Refused(410, "Expired", "The provided continue parameter is too old")
        items = self._pages[token] if token else self._all(asked, request)
        end = limit or len(items)
        version = token.partition(".")[0] or str(self._version(asked))
        rest = self._kept(version, items[end:])
        bare = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in items[:end]]
        served, kind = BY_PLURAL[asked.resource]
        metadata = {"resourceVersion": version, "continue": rest}
        head = {"kind": f"{kind}List", "apiVersion": served.api_version, "metadata": metadata}
        return Answer(body=msgspec.json.encode(head | {"items": bare}))

    def _kept(self, version: str, items: list[Manifest]) -> str:
        """The token of what is left; empty if nothing is."""
        if not items:
            return ""
        token = f"{version}.{next(self._tokens)}"
        self._pages[token] = items
        for old in tuple(self._pages)[:-PAGES_KEPT]:
            del self._pages[old]
        return token

    def _all(self, asked: Asked, request: Request) -> list[Manifest]:
        lag, objects = self._faults.behind, self._objects
        found = self._as_of(asked, lag(asked.resource)) if lag else objects.all(asked.resource, asked.namespace)
        return [each for each in found if selected(request.query, asked.resource, each)]

    def _version(self, asked: Asked) -> int:
        """The version of the last change that the answer knows."""
        if not self._faults.behind or asked.resource not in self._past:
            return self._objects.version
        return self._past[asked.resource].before(self._faults.behind(asked.resource))[1]

    def _as_of(self, asked: Asked, behind: int) -> list[Manifest]:
        """The objects as an API server has them that lags behind by so many changes."""
        there, _ = self._past[asked.resource].before(behind)
        return [there[place] for place in sorted(there) if asked.namespace in ("", place[0])]
