"""The entries of a Secret of API keys, as the server reads them, and what changes when a key comes, changes or goes.

Why it exists: the server reads names, digests and ends of keys too (`tests/contract` holds the two together), and a
change is worked out before anything is written. It must never show a key: only a fingerprint of what is stored leaves.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

COMPANION = ".expires"
"""`alice.expires` holds the time from which on the key `alice` is no longer valid."""
NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,98}[A-Za-z0-9])?")
KEY_TEXT = re.compile(rb"[\x21-\x7e]+")
DIGEST_TEXT = re.compile(rb"sha256:([0-9a-fA-F]{64})")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EARLIER = re.compile(r"(.+)\.before-\d{8}T\d{6}Z")
"""A rotated key's former value lives on under such a name; the number is when it was rotated."""
BORN = "qwen-operator.io/keys-created"
"""Annotation of the Secret: when `kubectl qwen keys` made which entry, since Kubernetes keeps no time of an entry."""

Data = Mapping[str, str]
"""`data` of a Secret: entries in base64."""
Patch = dict[str, str | None]
"""What of `data` changes; None takes an entry out."""


class Entry(NamedTuple):
    """One key without the key."""

    name: str
    state: str
    """Active, Expired, or Unusable where the server would pass it over."""
    fingerprint: str
    """The first 8 hexadecimal digits of the key's SHA-256; empty if there is no key."""
    hashed: bool
    """Whether only the digest is stored, from which nobody can tell the key."""
    created: str
    """RFC 3339; empty where nobody has noted it."""
    expires: str
    """As stored; empty if it is valid until it is revoked."""


def entries(data: Data, born: Mapping[str, str], now: datetime) -> list[Entry]:
    """All keys, by name."""
    return [_entry(name, data, born, now) for name in sorted(data) if is_key(name)]


def is_key(name: str) -> bool:
    """Whether an entry is a key for the server; those with a dot in front are the kubelet's."""
    return not name.startswith(".") and not name.endswith(COMPANION)


def digest(stored: bytes) -> bytes | None:
    """SHA-256 of the key that an entry stands for: `sha256:<hex>` or the key itself; None if it is unusable."""
    text = stored.strip()
    if text.startswith(b"sha256:"):
        match = DIGEST_TEXT.fullmatch(text)
        return bytes.fromhex(match[1].decode()) if match else None
    return hashlib.sha256(text).digest() if KEY_TEXT.fullmatch(text) else None


def moment(text: str) -> datetime | None:
    """An RFC 3339 time, white space around it ignored; None if it is none."""
    try:
        return datetime.fromisoformat(text.strip().upper()) if RFC_3339.fullmatch(text.strip()) else None
    except ValueError:
        return None


def stored(key: str, *, hashed: bool) -> str:
    """What is put into the Secret for a key: itself, or its digest."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}" if hashed else key


def is_hashed(data: Data, name: str) -> bool:
    """Whether only a digest is stored."""
    return _plain(data.get(name, "")).strip().startswith(b"sha256:")


def plain(data: Data, name: str) -> str:
    """The key of an entry for its holder; empty if only its digest is stored, or nothing usable.

    :raises KeyError: there is no such entry.
    """
    value = _plain(data[name]).strip()
    return value.decode() if KEY_TEXT.fullmatch(value) and not value.startswith(b"sha256:") else ""


def added(name: str, value: str, expires: datetime | None) -> Patch:
    """A new entry, or a new value of one, with its end."""
    return {name: _encoded(value), name + COMPANION: _encoded(_stamp(expires)) if expires else None}


def rotated(data: Data, name: str, value: str, expires: datetime | None, now: datetime, overlap: timedelta) -> Patch:
    """A new value under the name; the former one lives on for a while under another. Those that have ended go.

    :param expires: the new value's end; None is the former one's.
    """
    before = _expires(data, name)
    patch: Patch = {
        entry: None for earlier in earlier_of(data, name) if _ended(data, earlier, now) for entry in _both(earlier)
    }
    patch |= added(name, value, expires or before)
    until = min(now + overlap, before) if before else now + overlap
    if until > now:
        patch |= {_free(data, name, now): data[name]}
        patch |= {_free(data, name, now) + COMPANION: _encoded(_stamp(until))}
    return patch


def revoked(data: Data, name: str) -> Patch:
    """The key goes, with its end and with former values that still live."""
    return {entry: None for each in (name, *earlier_of(data, name)) for entry in _both(each) if entry in data}


def earlier_of(data: Data, name: str) -> list[str]:
    """Names of the former values of a key."""
    return [each for each in data if (match := EARLIER.fullmatch(each)) and match[1] == name]


def born(annotations: Mapping[str, str] | None) -> dict[str, str]:
    """When entries were made, as far as it was noted."""
    try:
        noted = json.loads((annotations or {}).get(BORN, "{}"))
    except json.JSONDecodeError:
        return {}
    return {str(name): str(time) for name, time in noted.items()} if isinstance(noted, dict) else {}


def born_after(noted: Mapping[str, str], patch: Patch, name: str | None, now: datetime) -> str:
    """The annotation after a change.

    :param name: what is new; None if something only went.
    """
    left = {each: time for each, time in noted.items() if patch.get(each, "") is not None}
    former = {new: left[name] for new in patch if name and name in left and EARLIER.fullmatch(new) and patch[new]}
    return json.dumps(left | former | ({name: _stamp(now)} if name else {}), sort_keys=True)


def _entry(name: str, data: Data, born: Mapping[str, str], now: datetime) -> Entry:
    found = digest(_plain(data[name]))
    end = _plain(data[name + COMPANION]).decode(errors="replace").strip() if name + COMPANION in data else ""
    limited, until = name + COMPANION in data, moment(end)
    state = "Unusable" if found is None or (limited and until is None) else "Active"
    if state == "Active" and until and until <= now:
        state = "Expired"
    mark = found.hex()[:8] if found else ""
    return Entry(name, state, mark, is_hashed(data, name), born.get(name, ""), end)


def _expires(data: Data, name: str) -> datetime | None:
    return moment(_plain(data.get(name + COMPANION, "")).decode(errors="replace"))


def _ended(data: Data, name: str, now: datetime) -> bool:
    end = _expires(data, name)
    return end is not None and end <= now


def _both(name: str) -> tuple[str, str]:
    return name, name + COMPANION


def _free(data: Data, name: str, now: datetime) -> str:
    """The name of a former value: of the moment, or the next second that is free."""
    at = now
    while (found := f"{name}.before-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}") in data:
        at += timedelta(seconds=1)
    return found


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return b""


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
