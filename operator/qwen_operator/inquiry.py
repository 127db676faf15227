"""Asks the pods that load a model how far they are, every ten seconds.

Why it exists: nobody else knows. A pod that does not answer is asked again the next time; nothing depends on it. It
must never send a token, follow a redirect, or read more than LONGEST bytes from a pod.
"""

import asyncio
from collections.abc import Callable

import aiohttp

from qwen_operator.core import names
from qwen_operator.core.progress import Progress, progress
from qwen_operator.keys import Key
from qwen_operator.loads import Loader, Loads

PERIOD = 10.0
"""Seconds between two rounds; so a status is written at most so often for its progress."""
AT_ONCE = 16
"""Pods asked at the same time."""
LONGEST = 4096
"""Bytes of an answer that are read."""
TIMEOUT = aiohttp.ClientTimeout(total=2)
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)


class Inquiry:
    """The rounds.

    :param may_ask: False while somebody else is at work.
    """

    def __init__(self, loads: Loads, may_ask: Callable[[], bool], port: int = names.MANAGEMENT_PORT) -> None:
        self._loads = loads
        self._may_ask = may_ask
        self._port = port
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Ask until cancelled."""
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                if self._may_ask():
                    await self.round(session)
                await asyncio.sleep(PERIOD)

    async def round(self, session: aiohttp.ClientSession) -> None:
        """Ask each of them once."""
        await asyncio.gather(*(self._ask(session, *each) for each in tuple(self._loads.loaders.items())))

    async def _ask(self, session: aiohttp.ClientSession, key: Key, loader: Loader) -> None:
        async with self._slots:
            if said := await self._answer(session, loader.address):
                self._loads.heard(key, loader, said)

    async def _answer(self, session: aiohttp.ClientSession, address: str) -> Progress | None:
        host = f"[{address}]" if ":" in address else address
        try:
            async with session.get(f"http://{host}:{self._port}/progress", allow_redirects=False) as response:
                return progress(await response.content.read(LONGEST)) if response.status == 200 else None
        except _NO_ANSWER:
            return None
