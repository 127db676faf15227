"""Who may ask: keys from a mounted directory, compared in constant time, read again while the server runs.

It must never keep, log or show a key: only digests stay in memory, only names leave this module.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from qwen_server.errors import UNAUTHORIZED, ApiError
from qwen_server.exchange import exchange
from qwen_server.journal import Journal
from qwen_server.keyfiles import Key, Reading, complaint, read_keys, settled
from qwen_server.limits import header

RELOAD_SECONDS = 0.5
"""Two equal readings make a change valid, so it takes at most two periods, below the promised 2 s."""


def bearer(authorization: bytes | None) -> bytes | None:
    """The token of an Authorization header; the scheme's case does not matter."""
    scheme, _, token = (authorization or b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" and token.strip() else None


def owner(keys: Mapping[str, Key], token: bytes, now: float) -> str | None:
    """The name of the key that is valid now, found in the same time whichever it is, or None."""
    presented, found = hashlib.sha256(token).digest(), None
    for name, key in keys.items():
        if hmac.compare_digest(presented, key.digest) & key.valid(now):
            found = name
    return found


@dataclass(slots=True)
class KeyRing:
    """The keys in force. `follow` keeps them current; everything else only reads. `clock`: seconds since 1970."""

    directory: Path
    journal: Journal
    keys: Mapping[str, Key] = field(default_factory=dict, repr=False)
    clock: Callable[[], float] = time.time
    _last: Reading = field(default_factory=dict, repr=False)
    reloaded: Callable[[], None] = field(default=lambda: None, repr=False)
    """Called when the keys have changed."""
    _complaint: str | None = None

    @property
    def flawed(self) -> bool:
        """Whether something in the directory cannot be used."""
        return self._complaint is not None

    def load(self) -> int:
        """Take the keys as they are at start, without those that cannot be used; how many are valid now."""
        reading = read_keys(self.directory)
        self._complain(complaint(reading))
        self._last = reading or {}
        self.keys = settled({}, self._last, self._last)
        return len(self.valid())

    def valid(self) -> list[str]:
        """The names of the keys that are valid now, in their order."""
        now = self.clock()
        return sorted(name for name, key in self.keys.items() if key.valid(now))

    def owner(self, token: bytes) -> str | None:
        """Whose key this is, if it is valid now."""
        return owner(self.keys, token, self.clock())

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
            self.reloaded()
            self.journal.note("keys reloaded", keys=len(keys))

    def _complain(self, text: str | None) -> None:
        """Say once what is wrong, and nothing when it is mended."""
        if text is not None and text != self._complaint:
            self.journal.note("keys kept", "warning", reason=text)
        self._complaint = text


class Authorized:
    """The layer that lets nobody in without a key: every path and method, those that do not exist included."""

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ApiError (401), the same for every way of having no valid key."""
        token = bearer(header(scope, b"authorization"))
        name = self._ring.owner(token) if token else None
        if name is None:
            raise ApiError(UNAUTHORIZED, "Invalid API key: send a valid one as `Authorization: Bearer <key>`.")
        exchange(scope).key_name = name
        await self._app(scope, receive, send)
