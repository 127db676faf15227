"""The two API servers that one suite is run against: the emulator, and a real kube-apiserver.

What the two answer differently fails a test; so the emulator cannot drift. Never ask here which of them it is.
"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from qwen_operator import crd
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.emulator.kinds import DEFINITIONS


@dataclass(frozen=True)
class Backend:
    """An API server, whichever it is."""

    kubeconfig: Path
    """With all rights."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])

    def client(self, bearer: str = "") -> httpx.Client:
        """Whoever holds a token; without one, somebody with all rights."""
        pki = self.kubeconfig.parent / "pki"
        if not pki.exists():
            return httpx.Client(base_url=self.url, headers=_headers(bearer))
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        if not bearer:
            context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return httpx.Client(base_url=self.url, verify=context, headers=_headers(bearer))


@contextmanager
def beside(emulator: Emulator) -> Iterator[Emulator]:
    """An emulator that serves from a thread, for tests that have no event loop."""
    listens, ends, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with emulator.serving():
            listens.set()
            await ends.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    listens.wait()
    try:
        yield emulator
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
        loop.close()


def with_definition() -> Emulator:
    """An emulator on which the definition of QwenModels is installed."""
    emulator = Emulator()
    emulator.objects.create(DEFINITIONS, "", crd.document(), admit=emulator.admission.admit)
    return emulator


def _headers(bearer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"} if bearer else {}
