"""The place of an object: what events, queues and caches are keyed by. It must never carry more than that."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Key(NamedTuple):
    """Namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def key_of(manifest: Mapping[str, Any]) -> Key:
    """An object's place."""
    metadata = manifest["metadata"]
    return Key(metadata["namespace"], metadata["name"])
