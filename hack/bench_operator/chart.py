"""The figures as a picture: how much of its limit each takes, with each number of models. Pure."""

from collections.abc import Mapping

from hack.bench_operator.limits import Figures, Limit, limits
from hack.bench_operator.report import shown
from hack.bench_server.chart import FAINT, INK, MISSED, PASS, text

WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 860, 400, 90, 56, 9, 12
FULL = 1.5
"""The share of the limit at the right edge; a longer bar is cut there, and its number says so."""
TITLE = "Each figure as a part of its limit, less is better"


def x(share: float) -> float:
    """Where a share of the limit lies."""
    return LEFT + (WIDTH - LEFT - RIGHT) * min(share, FULL) / FULL


def bars(found: Mapping[int, Figures]) -> list[tuple[Limit, list[tuple[int, float, float]]]]:
    """Limits of more than nothing, each with its numbers of models, values and shares."""
    drawn = []
    for limit in limits():
        values = [
            (count, found[count][limit.what], limit.at(count)) for count in sorted(found) if limit.what in found[count]
        ]
        shares = [(count, value, value / most) for count, value, most in values if most]
        if shares:
            drawn.append((limit, shares))
    return drawn


def row(limit: Limit, shares: list[tuple[int, float, float]], top: float) -> str:
    """One figure: its words, and a thin bar for each number of models."""
    middle = top + BAR * len(shares) / 2
    parts = [text((LEFT - 10, middle + 4), limit.words, 'text-anchor="end"')]
    for number, (models, value, share) in enumerate(shares):
        y, colour = top + number * BAR, PASS if share <= 1 else MISSED
        length = max(1.0, x(share) - LEFT)
        words = f"{shown(value)} {limit.unit}".rstrip()
        parts += [
            f'<rect x="{LEFT}" y="{y:.1f}" width="{length:.1f}" height="{BAR - 2}" fill="{colour}">'
            f"<title>{models:,} models: {words}</title></rect>",
            text((LEFT + length + 4, y + BAR - 2), words, f'fill="{colour}" font-size="9"'),
        ]
    return "\n".join(parts)


def chart(found: Mapping[int, Figures]) -> str:
    """The whole picture as SVG."""
    rows, top = [], float(TOP)
    for limit, shares in bars(found):
        rows.append(row(limit, shares, top))
        top += BAR * len(shares) + GAP
    height = top + 8
    ticks = "\n".join(
        f'<path d="M{x(at):.1f} {TOP - 6}V{top - GAP / 2:.1f}" stroke="{INK if at == 1 else FAINT}"/>'
        + text((x(at), TOP - 12), "limit" if at == 1 else f"{at:g}", 'text-anchor="middle" font-size="11"')
        for at in (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5)
    )
    models = ", ".join(f"{count:,}" for count in sorted(found))
    heading = text((10, 22), f"{TITLE}; bars from above are for {models} models", 'font-weight="600"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="system-ui, sans-serif" font-size="12" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>\n{heading}\n{ticks}\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )
