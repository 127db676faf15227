"""The API server under test as a person with all rights sees it: the emulator, or a real kube-apiserver."""

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path

from qwen_operator.cluster import Cluster
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest
from qwen_operator.credentials import Credentials
from qwen_operator.refusals import NotFound
from qwen_operator.transport import Transport
from tests.operator_api.emulator.app import Emulator

_numbers = itertools.count(1)


@dataclass
class Server:
    """Requests with all rights, in a namespace that no other test uses."""

    credentials: Credentials
    transport: Transport
    emulator: Emulator | None = None
    """The emulator, for tests that break it; None on a real server."""
    kubeconfig: Path | None = None
    """A kubeconfig for it, for programs."""
    namespace: str = field(default_factory=lambda: f"test-{next(_numbers)}")

    async def begin(self) -> None:
        """Make the namespace."""
        if self.emulator is None:
            manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
            await self.transport.request("POST", "/api/v1/namespaces", body=manifest)

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """A new object."""
        answer = await self.transport.request("POST", kind.path(self.namespace), body=manifest)
        return _object(answer)

    async def find(self, kind: Kind, name: str) -> Manifest | None:
        """The object, or None."""
        try:
            return await Cluster(self.transport).get(kind, self.namespace, name)
        except NotFound:
            return None

    async def get(self, kind: Kind, name: str) -> Manifest:
        """The object, which must be there."""
        return await Cluster(self.transport).get(kind, self.namespace, name)

    async def merge(self, kind: Kind, name: str, body: Manifest) -> Manifest:
        """A merge patch, as somebody else would send one."""
        url = kind.path(self.namespace, name)
        return _object(
            await self.transport.request("PATCH", url, body=body, content_type="application/merge-patch+json")
        )

    async def delete(self, kind: Kind, name: str) -> None:
        """Delete it."""
        await self.transport.request("DELETE", kind.path(self.namespace, name))


def _object(body: bytes) -> Manifest:
    manifest: Manifest = json.loads(body)
    return manifest
