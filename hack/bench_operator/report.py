"""What was measured as people read it: a table on the terminal and in docs/figures.md. Pure."""

from collections.abc import Mapping

from hack.bench_operator.limits import Figures, Limit, limits

BEGIN, END = "<!-- bench-operator -->", "<!-- /bench-operator -->"
PICTURE = "bench-operator.svg"


def shown(value: float) -> str:
    """A number with three digits, or as it is if it counts something."""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def held_to(limit: Limit, models: list[int]) -> str:
    """The limit with its unit, one for each number of models if they differ."""
    if isinstance(limit.most, dict):
        values = [f"{shown(limit.most[count])}" if count in limit.most else "-" for count in models]
        words = " / ".join(values) if len(set(values)) > 1 else values[0]
    else:
        words = shown(limit.most)
    return f"{words} {limit.unit}".rstrip()


def cell(limit: Limit, models: int, figures: Figures, emphasis: tuple[str, str] = ("**", "** missed")) -> str:
    """One figure; a broken limit is not to be overlooked."""
    if limit.what not in figures:
        return ""
    value = shown(figures[limit.what])
    missed = limit.verdict(figures[limit.what], models) == "MISSED"
    return f"{emphasis[0]}{value}{emphasis[1]}" if missed else value


def rows(found: Mapping[int, Figures], emphasis: tuple[str, str] = ("**", "** missed")) -> list[list[str]]:
    """Goal, words, limit, and a cell for each number of models; what nobody measured is left out."""
    models = sorted(found)
    return [
        [limit.goal, limit.words, held_to(limit, models)]
        + [cell(limit, count, found[count], emphasis) for count in models]
        for limit in limits()
        if any(limit.what in figures for figures in found.values())
    ]


def header(found: Mapping[int, Figures]) -> list[str]:
    """The head of the table."""
    return ["goal", "what", "at most", *(f"{count:,} models" for count in sorted(found))]


def table(found: Mapping[int, Figures]) -> str:
    """Every row in Markdown."""
    head = header(found)
    lines = [head, ["---"] * len(head), *rows(found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def section(found: Mapping[int, Figures], machine: str, command: str) -> str:
    """The part of docs/figures.md between the marks."""
    return (
        f"{BEGIN}\n## The operator with many models\n\n"
        f"`{command}` on {machine}. Each model has two replicas and so five children: Secret, Service, NetworkPolicy, "
        "PodDisruptionBudget, Deployment. The API server is the tests' emulator, a process in Python on the same "
        "cores; it makes no pods. What only a kubeconfig needs is taken off memory and the first start. "
        "Where there are three limits they are for the three numbers of models. Of P11 the operator has the limit of "
        "requests at once, and none by time.\n\n"
        f"{table(found)}\n![Each figure as a part of its limit]({PICTURE})\n{END}\n"
    )
