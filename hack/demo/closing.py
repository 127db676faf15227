"""The last page of `make demo`: the printed proof, the figures, and how to go on."""

import json
from collections.abc import Iterable
from textwrap import indent

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hack.demo import figures, proof
from hack.demo.kube import Kube
from hack.demo.machine import PORT, ROOT
from hack.demo.model import Example


def findings(title: str, found: tuple[proof.Finding, ...]) -> Table:
    """What the official client was told."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, padding=(0, 2))
    for finding in found:
        mark = Text("✓", "green") if finding.holds else Text("✗", "red")
        table.add_row(mark, finding.check, f"{finding.seconds:.1f} s", finding.evidence)
    return table


def measured(values: figures.Measured) -> Table:
    """What this run measured, beside what it may be."""
    table = Table(title="Measured", title_justify="left", title_style="bold", box=None, padding=(0, 2))
    for heading in ("", "what", "measured", "at most"):
        table.add_column(heading)
    for limit, words, holds in figures.judged(values):
        if holds is not None:
            mark = Text("✓", "green") if holds else Text("✗", "red")
            table.add_row(mark, limit.what, words, limit.shown(limit.at_most))
    return table


def usage(kube: Kube, example: Example) -> str:
    """Commands to paste, in the order a person needs them."""
    folder = f"export PATH={ROOT}/.local/cluster/bin:$PATH" if str(ROOT) in kube.kubectl_path else ""
    config = f"export KUBECONFIG={kube.kubeconfig}" if kube.kubeconfig else f"kubectl config use-context {kube.context}"
    body = json.dumps({"model": example.name, "messages": [proof.QUESTION]})
    secret = f"kubectl get secret {example.name}-api-keys -o jsonpath='{{.data.default}}' | base64 -d"
    return "\n".join(
        line
        for line in (
            folder,
            config,
            "kubectl get qm",
            f"kubectl port-forward service/{example.name} {PORT} &",
            f"KEY=$({secret})",
            f'curl -s http://localhost:{PORT}/v1/chat/completions -H "Authorization: Bearer $KEY" \\',
            f"  -H 'Content-Type: application/json' -d '{body}'",
        )
        if line
    )


def console() -> Console:
    """As wide as the terminal; wide enough for a log where there is none."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=120)


def show(tables: Iterable[Table], kube: Kube, example: Example) -> None:
    """Print everything in reading order; lines that are meant to be pasted are never broken."""
    screen = console()
    for table in tables:
        screen.print(table)
        screen.print()
    screen.print("It goes on running. To use it, paste:\n", style="bold")
    print(indent(usage(kube, example), "  "))
    screen.print(f"\n`make demo-down{f' CONTEXT={kube.context}' if kube.context else ''}` removes all of it.")
