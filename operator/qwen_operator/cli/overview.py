"""Many models as a table.

Why it exists: which of a thousand models needs somebody is one glance. It must never show by colour alone what a
terminal without colours would lose.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qwen_operator.cli.spans import since
from qwen_operator.core.problems import ON_THE_WAY
from qwen_operator.core.resource.report import UNSEEN
from qwen_operator.core.snapshot import Manifest

STYLES = {"True": "green", "False": "red", "Unknown": "yellow"}
BAR = 10
"""Characters of the bar of progress."""
WIDEST = 4_000
"""Characters of a line that no model reaches: an address has at most 1,024."""


def of(models: Sequence[Manifest], now: str, *, everywhere: bool) -> Table:
    """One line a model; with the namespace in front if they are of several."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in (*(("NAMESPACE",) if everywhere else ()), "NAME", "READY", "REASON", "PROGRESS"):
        table.add_column(name, no_wrap=True)
    for name in ("REPLICAS", "GPUS", "AGE"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("MODEL", no_wrap=True)
    for model in models:
        table.add_row(*_row(model, now, everywhere=everywhere))
    return table


def show(table: Table, console: Console) -> None:
    """Print a table whose lines are never cut: a terminal breaks long ones, a program reads them whole."""
    console.width = WIDEST
    console.print(table, crop=False)


def style(status: str, reason: str) -> str:
    """What on the way is not ready is nothing to worry about."""
    return "yellow" if status == "False" and reason in ON_THE_WAY else STYLES.get(status, "yellow")


def bar(percent: int, width: int = BAR) -> str:
    """A share of the way, at least one mark of what is done."""
    done = max(1, round(width * percent / 100)) if percent else 0
    return "█" * done + "░" * (width - done)


def _row(model: Manifest, now: str, *, everywhere: bool) -> list[Text | str]:
    metadata, said = model["metadata"], model.get("status") or {}
    ready: Manifest = next((each for each in said.get("conditions") or () if each["type"] == "Ready"), {})
    status, reason = ready.get("status", "Unknown"), said.get("reason", UNSEEN["reason"])
    return [
        *([metadata["namespace"]] if everywhere else []),
        Text(metadata["name"], "bold"),
        Text(status, style(status, reason)),
        Text(reason, style(status, reason)),
        _progress(said.get("progress")),
        said.get("replicaSummary", ""),
        str(said.get("gpus", "")),
        since(metadata.get("creationTimestamp", ""), now),
        model["spec"].get("model", {}).get("uri", ""),
    ]


def _progress(progress: Manifest | None) -> Text:
    if not progress:
        return Text("")
    if progress.get("percent") is None:
        return Text(progress["summary"])
    return Text.assemble((bar(progress["percent"]), "cyan"), f" {progress['summary']}")
