"""Lists: in pages, by selectors, and, if a test wants it, as an API server answers that lags behind."""

import itertools

import msgspec

from tests.operator_api.emulator.asking import Answer, Asked, Request, selected
from tests.operator_api.emulator.faults import Faults
from tests.operator_api.emulator.kinds import BY_PLURAL
from tests.operator_api.emulator.memory import Happening, Manifest, Memory, Refused

PAGES_KEPT = 64
"""Continue tokens that are good at a time; older ones have expired."""


class Lists:
    """The answers to lists."""

    def __init__(self, objects: Memory, faults: Faults) -> None:
        self._objects = objects
        self._faults = faults
        self._tokens = itertools.count(1)
        self._pages: dict[str, list[Manifest]] = {}
        self._past: list[Happening] = []
        objects.listeners.append(self._past.append)

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
        found = self._as_of(asked) if self._faults.behind else self._objects.all(asked.resource, asked.namespace)
        return [each for each in found if selected(request.query, asked.resource, each)]

    def _version(self, asked: Asked) -> int:
        """The version of the last change that the answer knows."""
        past = [each for each in self._past if each.resource == asked.resource] if self._faults.behind else []
        if not past:
            return self._objects.version
        seen = self._seen_of(asked.resource)
        return seen[-1].version if seen else past[0].version - 1

    def _seen_of(self, resource: str) -> list[Happening]:
        if not self._faults.behind:
            return []
        past = [each for each in self._past if each.resource == resource]
        return past[: max(0, len(past) - self._faults.behind(resource))]

    def _as_of(self, asked: Asked) -> list[Manifest]:
        """The objects as an API server has them that lags behind."""
        there: dict[tuple[str, str], Manifest] = {}
        for each in self._seen_of(asked.resource):
            place = each.manifest["metadata"].get("namespace", ""), each.manifest["metadata"]["name"]
            there.pop(place, None)
            if each.type != "DELETED":
                there[place] = each.manifest
        return [there[place] for place in sorted(there) if asked.namespace in ("", place[0])]
