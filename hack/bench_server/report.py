"""What was measured as people read it: a table on the terminal and in docs/figures.md. Pure."""

from collections.abc import Sequence

from hack.bench_server.rows import Judged, Measured, Side, What, spread

BEGIN, END = "<!-- bench-server -->", "<!-- /bench-server -->"
NEXT = "## The last recorded run of the demo"
"""The section before which the first record goes."""
HEADER = "| what | must reach | measured | ours | the other | |\n|---|---|---|---|---|---|\n"


def limit(judged: Judged) -> str:
    """What a row must reach."""
    row = judged.row
    bound = f"at {'least' if row.at_least else 'most'} {row.limit:g}"
    return f"{bound} of {row.theirs}" if row.theirs else bound


def line(judged: Judged) -> str:
    """One row of the table."""
    row = judged.row
    if judged.missing:
        return f"| {row.words} | {limit(judged)} | not measured: {judged.missing} | | | |\n"
    both = f"{spread(judged.ours)} | {spread(judged.theirs)}" if judged.theirs else f"{spread(judged.ours)} | "
    return f"| {row.words} | {limit(judged)} | {spread(judged.values)} | {both} | {judged.verdict} |\n"


def table(rows: Sequence[Judged]) -> str:
    """Every row in Markdown."""
    return HEADER + "".join(line(row) for row in rows)


def details(measured: Measured) -> str:
    """Every figure of every side, so that a ratio can be looked behind."""
    lines = [
        f"| {figure.case} | {figure.side} | {figure.what} | {spread(values)} |\n"
        for figure, values in measured.items()
        if figure.what is not What.LIVEZ and any(values)
    ]
    return "| load | side | figure | median (lowest to highest) |\n|---|---|---|---|\n" + "".join(sorted(lines))


def section(rows: Sequence[Judged], measured: Measured, machine: str, command: str) -> str:
    """The part of docs/figures.md between the marks."""
    runs = max((len(values) for figure, values in measured.items() if figure.side is Side.VLLM), default=0)
    return (
        f"{BEGIN}\n## The server against vLLM's own\n\n"
        f"`{command}` on {machine}: medians of {runs} rounds in which every side takes its turn, with the lowest and "
        "the highest. A ratio is that of the two turns of one round. The engine is vLLM's with an executor that "
        "computes nothing; CPU is that of the process that speaks HTTP.\n\n"
        f"{table(rows)}\n![The rows that are ratios, with their limits](bench-server.svg)\n\n"
        f"<details><summary>Every figure of every side</summary>\n\n{details(measured)}\n</details>\n{END}\n"
    )


def page(before: str, new: str, *, begin: str = BEGIN, end: str = END) -> str:
    """A page with the section written anew; the first time it goes before the demo's."""
    if begin in before:
        head, _, rest = before.partition(begin)
        return head + new.rstrip("\n") + rest.partition(end)[2]
    head, found, rest = before.partition(NEXT)
    return f"{head.rstrip()}\n\n{new}\n{found}{rest}" if found else f"{before.rstrip()}\n\n{new}"
