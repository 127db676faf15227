"""Canaries: words that stand for keys and tokens, and every place where none of them may ever be seen."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from qwen_operator.core.snapshot import Manifest
from tests.operator_api.emulator.app import Emulator

CANARY = re.compile(r"canary-[a-z-]+-[0-9a-f]{4}")

TOKEN = "canary-token-3f0a"
KEY = "canary-key-e0b3"
HUB = "canary-hub-19f4"
STORE = "canary-store-77aa"
REGISTRY = "canary-registry-5d1c"
VARIABLE = "canary-variable-90d7"
ANNOTATION = "canary-annotation-c4e1"
SPOKEN = "canary-spoken-3b20"

TALKATIVE = {"PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "default", "PYTHONFAULTHANDLER": "1"}
"""All that makes Python say more; the operator's own flag is --log-level."""

SECRETS: dict[str, dict[str, str]] = {
    "team-keys": {"alice": KEY},
    "hub": {"token": HUB},
    "store": {"AWS_SECRET_ACCESS_KEY": STORE, "AWS_ACCESS_KEY_ID": STORE},
    "registry": {".dockerconfigjson": json.dumps({"auths": {"r.example": {"auth": REGISTRY}}})},
}
"""Secrets that models name. Nobody but a pod ever reads one."""

SPOKEN_WORDS = (
    f"401 for url https://user:{SPOKEN}@hub.example/x with Authorization: Bearer {SPOKEN} "
    f"and hf_{SPOKEN} and sk-{SPOKEN} and ?sig={SPOKEN} and password={SPOKEN}"
)
"""What a pod that was started with other software might say last."""


def sightings(*texts: str) -> set[str]:
    """Every canary in any of the texts."""
    return {found for text in texts for found in CANARY.findall(text)}


def of_the_system(pid: int) -> Iterator[str]:
    """What anybody on the machine can read of a process: its command line, its environment, its threads' names."""
    folder = Path("/proc") / str(pid)
    for file in (folder / "cmdline", folder / "environ", *folder.glob("task/*/comm")):
        with suppress(OSError):
            yield file.read_bytes().decode(errors="replace")


def places(value: Any, path: str = "") -> Iterator[str]:
    """Where canaries are in a document."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(name, f"{path}(name)")
            yield from places(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for each in value:
            yield from places(each, path)
    elif CANARY.search(str(value)):
        yield path


def stored(emulator: Emulator, namespace: str, *plurals: str) -> dict[str, set[str]]:
    """Where canaries are in the objects of some kinds, by kind."""
    found = {plural: emulator.objects.all(plural, namespace) for plural in plurals}
    return {plural: {place for one in objects for place in places(one)} for plural, objects in found.items()}


def secret(name: str, data: dict[str, str]) -> Manifest:
    """A Secret of somebody's."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
