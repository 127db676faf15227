"""One model in full for a terminal: conditions, replicas, progress, fit, timings, the last failure, how to call it.

Why it exists: all that a status holds, in the order in which it is asked for. It must never leave out a condition.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qwen_operator.cli.overview import bar, style
from qwen_operator.cli.spans import amount, gib, since, span
from qwen_operator.core.snapshot import Manifest

WIDTH = 32
"""Characters of the bar of progress."""


def of(model: Manifest, now: str) -> RenderableType:
    """All of it."""
    said = model.get("status") or {}
    metadata = model["metadata"]
    head = Text.assemble((metadata["name"], "bold"), f" in {metadata['namespace']}, {model['spec']['model']['uri']}")
    if not said:
        return Group(head, Text("No operator has looked at it yet.", "yellow"))
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for name, text in _facts(said, now):
        facts.add_row(name, text)
    return Group(head, "", facts, "", _conditions(said, now))


def _facts(said: Manifest, now: str) -> Iterator[tuple[str, RenderableType]]:
    if summary := said.get("replicaSummary"):
        gpus = said.get("gpus") or 0
        each = f", {gpus} GPUs each" if gpus > 1 else ", one GPU each" if gpus else ", on CPUs"
        yield "replicas", f"{summary} answer, {said.get('updatedReplicas', 0)} up to date{each}"
    if progress := said.get("progress"):
        yield "progress", _progress(progress)
    if weights := said.get("weights"):
        yield "weights", f"{amount(weights['bytes'])} in {weights['files']} files, commit {weights['commit'][:12]}"
    if fit := said.get("fit"):
        yield "fit", _fit(fit)
    if timings := said.get("timings"):
        yield "last start", _timings(timings)
    if failure := said.get("lastFailure"):
        yield "last failure", _failure(failure, now)
    if endpoint := said.get("endpoint"):
        yield "endpoint", f"{endpoint['url']}, model {endpoint['modelId']}"


def _progress(progress: Manifest) -> Text:
    done, total, left = progress.get("bytesDone", 0), progress.get("bytesTotal"), progress.get("secondsLeft")
    parts: list[str | tuple[str, str]] = []
    if progress.get("percent") is not None:
        parts += [(bar(progress["percent"], WIDTH), "cyan"), f" {progress['percent']}% "]
    parts.append(progress["stage"])
    if total:
        parts.append(f", {amount(done)} of {amount(total)}")
    if left is not None:
        parts.append(f", about {span(left)} left")
    return Text.assemble(*parts)


def _fit(fit: Manifest) -> Text:
    verdict = fit["verdict"]
    colour = {"Fits": "green", "Tight": "yellow", "DoesNotFit": "red"}.get(verdict, "")
    words = ""
    if fit.get("need") is not None:
        words = f", each GPU needs {gib(fit['need'])} of {gib(fit['have'])}"
    if fit.get("largestContext"):
        words += f"; longest request {fit['largestContext']:,} tokens"
    if fit.get("concurrentRequests"):
        words += f", {fit['concurrentRequests']} of full length at once"
    if fit.get("gpusNeeded"):
        words += f"; fewest GPUs: {fit['gpusNeeded']}"
    return Text.assemble((verdict, colour), words)


def _timings(timings: Manifest) -> str:
    names = (("scheduling", "scheduling"), ("preparation", "preparation"), ("engineStart", "engine start"))
    parts = [f"{words} {span(timings[name])}" for name, words in names if timings.get(name) is not None]
    total = [f"{span(timings['total'])} in all"] if timings.get("total") is not None else []
    return ", ".join([*total, *parts])


def _failure(failure: Manifest, now: str) -> str:
    when = f"{since(failure['time'], now)} ago, " if failure.get("time") else ""
    return f"{when}{failure['reason']}, exit code {failure['exitCode']}, pod {failure['pod']}: {failure['excerpt']}"


def _conditions(said: Manifest, now: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("CONDITION", "STATUS", "SINCE", "REASON"):
        table.add_column(column, no_wrap=True)
    table.add_column("MESSAGE")
    for each in said.get("conditions") or ():
        positive = each["type"] != "Progressing"
        colour = style(each["status"], each["reason"]) if positive else ""
        when = since(each.get("lastTransitionTime", ""), now)
        table.add_row(each["type"], Text(each["status"], colour), when, each["reason"], each["message"])
    return table
