"""The golden files' contents, worked out from the sources."""

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml
from rich.console import Console

from qwen_operator.cli import chain, tree
from qwen_operator.cli.around import Around
from qwen_operator.core import resource, status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.snapshot import Snapshot
from qwen_operator.rendering import Plain, manifests_of
from tests.builders import SETTINGS, UID, recorded, recordings

ROOT = Path(__file__).resolve().parents[2]
LATER = "2026-11-24T01:30:00Z"
"""A time after the recordings of the first day."""
PASSED = timedelta(minutes=5)
"""Between the youngest pod of another recording and the look at it."""


def files() -> dict[str, str]:
    """Text of every golden file that is written, by its path below `tests/golden`."""
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    return {f"children/{path.name}": children(path) for path in examples} | {"said.yaml": said(), "why.txt": why()}


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
    document = status.document(model, seen, Plan(), Outcome(), _later(seen))
    return {"reason": document["reason"], "message": document["message"]}


def why() -> str:
    """What `kubectl qwen why` shows of each recorded situation."""
    return "\n".join(f"# {name}\n\n{shown(name)}" for name in recordings())


def shown(name: str) -> str:
    """The chain of one recorded situation, as a terminal of 120 characters without colours shows it."""
    model, seen = recorded(name)
    body = {
        "metadata": msgspec.to_builtins(model.metadata),
        "spec": msgspec.to_builtins(model.spec),
        "status": {"observedGeneration": model.metadata.generation},
    }
    console = Console(width=120, highlight=False, file=io.StringIO())
    console.print(tree.of(chain.account(body, Around(snapshot=seen), _later(seen))), crop=False)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]


def _later(seen: Snapshot) -> str:
    created = max((pod["metadata"]["creationTimestamp"] for pod in seen.pods), default=LATER)
    return max(LATER, (datetime.fromisoformat(created) + PASSED).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _dump(documents: list[Any]) -> str:
    return yaml.dump_all(documents, Dumper=Plain, sort_keys=False, explicit_start=True, width=120, allow_unicode=True)
