"""`kubectl qwen status`: how models do; one in full, many in a table, live with --watch.

Why it exists: everything that the operator says of a model, for people and for scripts. It must never judge: what is
shown is what the status holds.
"""

import argparse
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console, RenderableType
from rich.live import Live

from qwen_operator.cli import access, detail, endings, output, overview, where
from qwen_operator.cli.access import Access
from qwen_operator.core.snapshot import Manifest


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = where.verb(
        verbs,
        "status",
        "how models do: one in full, many in a table; live with --watch",
        "Show how a model does, with its conditions, progress, fit and timings; without NAME all models of the\n"
        "namespace in a table.",
        endings.listed(endings.OF_A_MODEL),
    )
    parser.set_defaults(verb=run)
    where.add_model(parser, optional=True)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="models of all namespaces")
    parser.add_argument("-w", "--watch", action="store_true", help="go on showing until Ctrl-C")
    output.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Show it; returns the exit status."""
    if options.name and options.all_namespaces:
        raise endings.Mistake("A model has one namespace: give NAME with -n, or -A without NAME.")

    async def work(cluster: Access) -> int:
        if options.watch:
            await _watch(cluster, options)
            return endings.YES
        models = await _models(cluster, options)
        _print(models, options)
        return endings.NO if options.name and not _ready(models[0]) else endings.YES

    return access.carried_out(options, work)


async def _models(cluster: Access, options: argparse.Namespace) -> list[Manifest]:
    if options.name:
        return [await cluster.model(options.name)]
    return await cluster.models(everywhere=options.all_namespaces)


def _print(models: list[Manifest], options: argparse.Namespace) -> None:
    if options.output:
        documents = [document(model) for model in models]
        output.write(documents[0] if options.name else {"models": documents}, options.output)
    elif not models:
        print(f"No QwenModels in {'any namespace' if options.all_namespaces else 'the namespace'}.", file=sys.stderr)
    elif options.name:
        Console(highlight=False).print(detail.of(models[0], _now()))
    else:
        overview.show(overview.of(models, _now(), everywhere=options.all_namespaces), Console(highlight=False))


def _picture(models: list[Manifest], options: argparse.Namespace) -> RenderableType:
    return (
        detail.of(models[0], _now()) if options.name else overview.of(models, _now(), everywhere=options.all_namespaces)
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


async def _watch(cluster: Access, options: argparse.Namespace) -> None:
    """Show each change: redrawn in a terminal, one line of JSON a model else."""
    changes = cluster.changes(options.name, everywhere=options.all_namespaces)
    if options.output or not sys.stdout.isatty():
        await _lines(changes)
        return
    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        async for models, _ in changes:
            live.update(_picture(models, options) if models else "No QwenModels.", refresh=True)


async def _lines(changes: AsyncIterator[tuple[list[Manifest], list[Manifest]]]) -> None:
    async for _, changed in changes:
        for model in changed:
            sys.stdout.buffer.write(msgspec.json.encode(document(model)) + b"\n")
        sys.stdout.flush()


def document(model: Manifest) -> dict[str, Any]:
    """A model's place and status for programs."""
    metadata = model["metadata"]
    place = {"namespace": metadata["namespace"], "name": metadata["name"], "generation": metadata.get("generation", 0)}
    return {**place, **(model.get("status") or {})}


def _ready(model: Manifest) -> bool:
    said = model.get("status") or {}
    current = said.get("observedGeneration", 0) >= model["metadata"].get("generation", 0)
    return current and any(
        each["type"] == "Ready" and each["status"] == "True" for each in said.get("conditions") or ()
    )
