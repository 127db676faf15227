"""Who may ask: keys from a mounted directory, compared in constant time, read again while the server runs.

It must never keep, log or show a key: only digests stay in memory, only names leave this module.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from qwen_server.errors import UNAUTHORIZED, ApiError
from qwen_server.exchange import exchange
from qwen_server.journal import Journal
from qwen_server.limits import header

RELOAD_SECONDS = 0.5
"""Two equal readings make a change valid, so it takes at most two periods, below the promised 2 s."""

Digest = bytes
Reading = Mapping[str, Digest | None]
"""A key's name to its digest; None for a file that is there but holds no usable key (half-written, unreadable)."""

DIGEST_TEXT = re.compile(rb"sha256:([0-9a-fA-F]{64})")
KEY_TEXT = re.compile(rb"[\x21-\x7e]+")


def digest(content: bytes) -> Digest | None:
    """What a key file means: `sha256:<hex>` or the key itself, white space around it ignored; None if unusable."""
    text = content.strip()
    if text.startswith(b"sha256:"):
        match = DIGEST_TEXT.fullmatch(text)
        return bytes.fromhex(match[1].decode()) if match else None
    return hashlib.sha256(text).digest() if KEY_TEXT.fullmatch(text) else None


def settled(keys: Mapping[str, Digest], before: Reading, now: Reading) -> dict[str, Digest]:
    """The keys in force after two readings: a change counts once both agree, an unusable file changes nothing."""
    result = dict(keys)
    for name in before.keys() | now.keys() | keys.keys():
        if (name in before, before.get(name)) != (name in now, now.get(name)):
            continue
        if name not in now:
            result.pop(name, None)
        elif (value := now[name]) is not None:
            result[name] = value
    return result


def bearer(authorization: bytes | None) -> bytes | None:
    """The token of an Authorization header; the scheme's case does not matter."""
    scheme, _, token = (authorization or b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" and token.strip() else None


def owner(keys: Mapping[str, Digest], token: bytes) -> str | None:
    """The name of the key, found in the same time whichever it is, or None."""
    presented, found = hashlib.sha256(token).digest(), None
    for name, expected in keys.items():
        if hmac.compare_digest(presented, expected):
            found = name
    return found


def read_keys(directory: Path) -> Reading | None:
    """The directory as it is now; None if it cannot be read. Names with a dot in front are kubelet's, not keys."""
    try:
        files = [entry for entry in directory.iterdir() if not entry.name.startswith(".") and not entry.is_dir()]
    except OSError:
        return None
    return {file.name: read_key(file) for file in files}


def read_key(file: Path) -> Digest | None:
    """One file's digest, None if it cannot be read."""
    try:
        return digest(file.read_bytes())
    except OSError:
        return None


@dataclass(slots=True)
class KeyRing:
    """The keys in force. `follow` keeps them current; everything else only reads."""

    directory: Path
    journal: Journal
    keys: Mapping[str, Digest] = field(default_factory=dict, repr=False)
    _last: Reading = field(default_factory=dict, repr=False)
    _complaint: str | None = None

    def load(self) -> int:
        """Take the keys as they are at start; the number of them."""
        self._last = read_keys(self.directory) or {}
        self.keys = settled({}, self._last, self._last)
        return len(self.keys)

    async def follow(self) -> None:
        """Read the directory again and again. Runs until cancelled."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            self.take(await asyncio.to_thread(read_keys, self.directory))

    def take(self, reading: Reading | None) -> None:
        """Weigh one reading; say so when the keys change or when something cannot be used."""
        self._complain(complaint(reading))
        if reading is None:
            return
        keys = settled(self.keys, self._last, reading)
        self._last = reading
        if keys != self.keys:
            self.keys = keys
            self.journal.note("keys reloaded", keys=len(keys))

    def _complain(self, text: str | None) -> None:
        """Say once what is wrong, and nothing when it is mended."""
        if text is not None and text != self._complaint:
            self.journal.note("keys kept", "warning", reason=text)
        self._complaint = text


def complaint(reading: Reading | None) -> str | None:
    """What is wrong with a reading, in one sentence; None if nothing is."""
    if reading is None:
        return "The keys directory cannot be read; the last good keys stay in force."
    unusable = sum(value is None for value in reading.values())
    return f"{unusable} key file(s) hold no usable key; their last good keys stay in force." if unusable else None


class Authorized:
    """The layer that lets nobody in without a key: every path and method, those that do not exist included."""

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ApiError (401), the same for every way of having no valid key."""
        token = bearer(header(scope, b"authorization"))
        name = owner(self._ring.keys, token) if token else None
        if name is None:
            raise ApiError(UNAUTHORIZED, "Invalid API key: send a valid one as `Authorization: Bearer <key>`.")
        exchange(scope).key_name = name
        await self._app(scope, receive, send)
