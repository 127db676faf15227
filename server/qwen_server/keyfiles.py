"""What a directory of keys says: names, digests, and when a key ends.

It must never keep or show a key: a file's content is a digest before anybody sees it.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

Digest = bytes

COMPANION = ".expires"
"""`alice.expires` holds the time from which on the key `alice` is no longer valid. It is never a key itself."""
DIGEST_TEXT = re.compile(rb"sha256:([0-9a-fA-F]{64})")
KEY_TEXT = re.compile(rb"[\x21-\x7e]+")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


Stamp = tuple[int, ...]
"""Tells one state of a file from another: time of its last change in nanoseconds, inode, size."""


class Flaw(StrEnum):
    """Why a key that is there cannot be used (half-written, unreadable): what it then was before, it stays."""

    KEY = "hold no usable key"
    EXPIRY = "have an .expires file without an RFC 3339 time such as 2026-01-31T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Key:
    """A usable key. `expires` is in seconds since 1970; None: it is valid until it is removed."""

    digest: Digest
    expires: float | None = None
    written: Stamp = ()
    """When the files were last written, as far as it was looked at; of a key in force that does not matter."""

    def valid(self, now: float) -> bool:
        """Whether it counts at this time."""
        return self.expires is None or now < self.expires


Reading = Mapping[str, Key | Flaw]
"""A key's name to what its files say."""


def holds_digest(file: Path) -> bool:
    """Whether a key file holds a digest, from which nobody can tell the key."""
    return content(file).strip().startswith(b"sha256:")


def digest(content: bytes) -> Digest | None:
    """What a key file means: `sha256:<hex>` or the key itself, white space around it ignored; None if unusable."""
    text = content.strip()
    if text.startswith(b"sha256:"):
        match = DIGEST_TEXT.fullmatch(text)
        return bytes.fromhex(match[1].decode()) if match else None
    return hashlib.sha256(text).digest() if KEY_TEXT.fullmatch(text) else None


def moment(content: bytes) -> float | None:
    """An RFC 3339 time in seconds since 1970, white space around it ignored; None if it is none."""
    try:
        text = content.decode("ascii").strip()
        return datetime.fromisoformat(text.upper()).timestamp() if RFC_3339.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def settled(keys: Mapping[str, Key], before: Reading, now: Reading) -> dict[str, Key]:
    """The keys in force after two readings: a change counts once both agree, an unusable file changes nothing.

    A file that was written in between does not agree with itself: it may be half of what it will be, both times.
    """
    result = dict(keys)
    for name in before.keys() | now.keys() | keys.keys():
        if before.get(name) != now.get(name):
            continue
        if name not in now:
            result.pop(name, None)
        elif isinstance(value := now[name], Key):
            result[name] = replace(value, written=())
    return result


def read_keys(directory: Path) -> Reading | None:
    """The directory as it is now; None if it cannot be read. Names with a dot in front are kubelet's, not keys."""
    try:
        names = {entry.name for entry in directory.iterdir() if not entry.name.startswith(".")}
    except OSError:
        return None
    keys = [name for name in names if not name.endswith(COMPANION) and not (directory / name).is_dir()]
    return {name: read_key(directory / name, limited=name + COMPANION in names) for name in keys}


def read_key(file: Path, *, limited: bool) -> Key | Flaw:
    """One key, with its end if it is limited."""
    written, found = stamp(file), digest(content(file))
    if found is None:
        return Flaw.KEY
    if not limited:
        return Key(found, None, written)
    companion = file.with_name(file.name + COMPANION)
    written, expires = written + stamp(companion), moment(content(companion))
    return Flaw.EXPIRY if expires is None else Key(found, expires, written)


def stamp(file: Path) -> Stamp:
    """The state of a file before it is read, so that a change in between shows at the next reading."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size


def content(file: Path) -> bytes:
    """What a file holds; nothing if it cannot be read, which is no key and no time."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def complaint(reading: Reading | None) -> str | None:
    """What is wrong with a reading, in one sentence; None if nothing is."""
    if reading is None:
        return "The keys directory cannot be read; the last good keys stay in force."
    flaws = list(reading.values())
    found = [f"{flaws.count(flaw)} key file(s) {flaw}" for flaw in Flaw if flaw in flaws]
    return f"{' and '.join(found)}; of those only what was last good is in force." if found else None
