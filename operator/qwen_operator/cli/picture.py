"""The answer of `kubectl qwen fit` for a terminal: a table of layouts, and a bar of where the memory of a GPU goes.

Why it exists: which of ten layouts, and what of the memory is the matter, is seen faster than read. It must never show
by colour alone what a terminal without colours would lose.
"""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qwen_operator.cli import bar
from qwen_operator.cli.answer import Answer
from qwen_operator.core.fit.memory import GIB
from qwen_operator.core.fit.verdict import Judgement, Sizes, Verdict

STYLES = {Verdict.FITS: "bold green", Verdict.TIGHT: "bold yellow", Verdict.DOES_NOT_FIT: "bold red"}


def of(answer: Answer) -> RenderableType:
    """All of it, from the model down to the verdict."""
    weighed = [(one, one.sizes) for one in answer.judgements if one.sizes]
    ruled_out = [one for one in answer.judgements if one.sizes is None]
    parts: list[RenderableType] = [_model(answer), _question(answer), ""]
    if weighed:
        parts += [_table(weighed, answer.best), ""]
    if ruled_out:
        parts += [*_ruled_out(ruled_out), ""]
    if answer.best.sizes:
        parts += [f"Each GPU with {answer.best.layout}:", bar.of(answer.best.sizes, answer.asked.gpu), ""]
    return Group(*parts, _verdict(answer))


def _model(answer: Answer) -> Text:
    asked, facts = answer.asked, answer.asked.facts
    count = f"{facts.parameters / 1e9:,.2f} B parameters, " if facts.parameters else ""
    source = "" if facts.exact else " (by the index's sum)"
    size = f"{sum(facts.weights.values()) / GIB:,.1f} GiB of weights{source}: {_types(answer)}"
    return Text.assemble((asked.model, "bold"), f"\n{facts.architecture.name}, {count}{size}")


def _types(answer: Answer) -> str:
    sizes: dict[str, int] = {}
    for (_, dtype), size in answer.asked.facts.weights.items():
        sizes[dtype] = sizes.get(dtype, 0) + size
    large_first = sorted(sizes.items(), key=lambda item: -item[1])
    return ", ".join(f"{size / GIB:,.1f} {dtype}" for dtype, size in large_first)


def _question(answer: Answer) -> str:
    gpu, load = answer.asked.gpu, answer.asked.load
    requests = "1 request" if load.concurrency == 1 else f"{load.concurrency:,} requests"
    return (
        f"{answer.gpus} x {answer.asked.gpu_name} of {gpu.memory / GIB:.1f} GiB, the engine may use "
        f"{gpu.usable / GIB:.1f}; {requests} of {load.context:,} tokens"
    )


def _table(weighed: list[tuple[Judgement, Sizes]], best: Judgement) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("GiB a GPU", no_wrap=True)
    for column in ("weights", "overhead", "KV cache", "need", "requests", "context"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one, sizes in weighed:
        numbers = (sizes.weights, sizes.overhead, sizes.kv_cache, sizes.need)
        table.add_row(
            f"{one.layout}",
            *(f"{size / GIB:.1f}" for size in numbers),
            f"{sizes.requests:.1f}",
            f"{sizes.largest_context:,}",
            Text(one.verdict, STYLES[one.verdict]),
            style="bold" if one.layout == best.layout else "",
        )
    return table


def _ruled_out(judgements: list[Judgement]) -> list[Text]:
    """What no engine would start with, by reason; the sentence is that of the first of them."""
    by_reason: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_reason.setdefault(one.problem.reason, []).append(one)
    return [
        Text.assemble(
            (", ".join(f"{one.layout}" for one in same), "bold"), f" ruled out: {reason}. {same[0].problem.message}"
        )
        for reason, same in by_reason.items()
    ]


def _verdict(answer: Answer) -> Text:
    best = answer.best
    needed = "none up to 64" if answer.needed is None else answer.needed
    return Text.assemble(
        (f"{best.verdict}", STYLES[best.verdict]),
        f" with {best.layout}. {best.problem.message}\nFewest GPUs of this kind that will do: {needed}.",
    )
