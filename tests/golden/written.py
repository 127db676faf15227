"""The golden files' contents, worked out from the sources."""

from pathlib import Path
from typing import Any

import yaml

from qwen_operator.core import resource, status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.rendering import manifests_of
from tests.builders import SETTINGS, UID, recorded, recordings

ROOT = Path(__file__).resolve().parents[2]
LATER = "2026-11-24T01:30:00Z"
"""A time after all recordings."""


class Plain(yaml.SafeDumper):
    """YAML without anchors: what occurs twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """True for every object."""
        return True


def files() -> dict[str, str]:
    """Text of every golden file that is written, by its path below `tests/golden`."""
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    return {f"children/{path.name}": children(path) for path in examples} | {"said.yaml": said()}


def children(example: Path) -> str:
    """The children of an example in the order in which they are made."""
    body = yaml.safe_load(example.read_text())
    body["metadata"]["uid"] = UID
    model = resource.parse(body)
    return _dump(manifests_of(model, SETTINGS))


def said() -> str:
    """Reason and message of each recorded situation."""
    return "".join(_dump([{name: verdict(name)}]).removeprefix("---\n") for name in recordings())


def verdict(name: str) -> dict[str, str]:
    """What the condition Ready says about a recorded situation."""
    model, seen = recorded(name)
    document = status.document(model, seen, Plan(), Outcome(), LATER)
    return {"reason": document["reason"], "message": document["message"]}


def _dump(documents: list[Any]) -> str:
    return yaml.dump_all(documents, Dumper=Plain, sort_keys=False, explicit_start=True, width=120, allow_unicode=True)
