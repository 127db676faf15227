"""A request to the API server, understood; and what it is answered with, whoever carries both."""

import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.operator_api.emulator.kinds import BY_PLURAL
from tests.operator_api.emulator.memory import Manifest, Refused

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
WRITES = frozenset(_VERBS.values())


@dataclass(frozen=True)
class Request:
    """What came over the wire."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""
    token: str = ""
    agent: str = ""

    def document(self) -> Manifest:
        """The body as JSON; nothing where there is none."""
        try:
            found: Any = msgspec.json.decode(self.body) if self.body else {}
        except msgspec.DecodeError as error:
            raise Refused(400, "BadRequest", f"the body is no JSON: {error}") from None
        if not isinstance(found, dict):
            raise Refused(400, "BadRequest", "the body is no object")
        return found


@dataclass(frozen=True)
class Asked:
    """A request, understood."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    subresource: str

    @property
    def what(self) -> str:
        """The resource as rights name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.verb in WRITES


@dataclass
class Answer:
    """A status with a body, or with lines that come as they happen."""

    status: int = 200
    body: bytes = b""
    lines: AsyncGenerator[bytes, None] | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class HungUp(Exception):  # noqa: N818  (what happens to the connection)
    """The connection is cut without an answer."""


def understood(request: Request) -> Asked:
    """Verb, group, resource, namespace, name and subresource; the verb is `discover` for what is no object's."""
    parts = request.path.strip("/").split("/")
    grouped = parts[0] == "apis"
    rest = parts[3:] if grouped else parts[2:]
    if not rest:
        return Asked("discover", "", "", "", "", "")
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    many = "watch" if request.query.get("watch") else "list"
    verb = _VERBS.get(request.method) or ("get" if name else many)
    verb = "deletecollection" if verb == "delete" and not name else verb
    return Asked(verb, parts[1] if grouped else "", resource, namespace, name, subresource)


def refusal(refused: Refused) -> Answer:
    """A Status that says why not."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": refused.status,
        "reason": refused.reason,
        "message": str(refused),
    }
    headers = {"Retry-After": str(refused.after)} if refused.after is not None else {}
    return Answer(refused.status, msgspec.json.encode(body), headers=headers)


def selected(query: Mapping[str, str], resource: str, manifest: Manifest) -> bool:
    """Whether an object is among those that a list or a watch asks for, by its selectors of labels and fields.

    :raises Refused: a field that cannot be selected by.
    """
    labels = manifest["metadata"].get("labels") or {}
    return all(_holds(term, labels) for term in _terms(query.get("labelSelector", ""))) and all(
        _field_holds(term, resource, manifest) for term in query.get("fieldSelector", "").split(",") if term
    )


def _terms(selector: str) -> list[str]:
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _holds(term: str, labels: Mapping[str, str]) -> bool:
    if match := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term):
        key, how, listed = match.groups()
        values = {value.strip() for value in listed.split(",")}
        return (labels.get(key) in values) if how == "in" else labels.get(key) not in values
    if "!=" in term:
        key, _, value = term.partition("!=")
        return labels.get(key.strip()) != value.strip()
    if "=" in term:
        key, _, value = term.replace("==", "=").partition("=")
        return labels.get(key.strip()) == value.strip()
    return term[1:] not in labels if term.startswith("!") else term in labels


_FIELDS = {"pods": {"spec.nodeName", "status.phase", "spec.restartPolicy", "status.podIP"}}
_FIELDS_OF_ALL = {"metadata.name", "metadata.namespace"}


def _field_holds(term: str, resource: str, manifest: Manifest) -> bool:
    negated = "!=" in term
    path, _, value = term.partition("!=" if negated else "=")
    path, value = path.strip(), value.lstrip("=").strip()
    if path not in _FIELDS.get(resource, set()) | _FIELDS_OF_ALL:
        raise Refused(400, "BadRequest", f'field label not supported: {path} ("{BY_PLURAL[resource][1]}")')
    found: Any = manifest
    for part in path.split("."):
        found = (found or {}).get(part)
    return (str(found or "") == value) is not negated
