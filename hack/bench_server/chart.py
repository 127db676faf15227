"""The ratios as a picture: how much of the other side's cost ours has, beside what it may have. Pure."""

from collections.abc import Sequence
from html import escape

from hack.bench_server.rows import Judged, shown

WIDTH, LEFT, RIGHT, TOP, ROW = 860, 330, 70, 56, 34
FULL = 1.2
"""The ratio at the right edge; a longer bar is cut there, and its number says so."""
PASS, MISSED, INK, FAINT = "#2f7d4f", "#b3442e", "#1f2328", "#d0d7de"


def x(ratio: float) -> float:
    """Where a ratio lies."""
    return LEFT + (WIDTH - LEFT - RIGHT) * min(ratio, FULL) / FULL


def text(at: tuple[float, float], words: str, more: str = "") -> str:
    """A line of text."""
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" {more}>{escape(words)}</text>'


def bar(number: int, judged: Judged) -> str:
    """One row: its words, its bar, its lowest and highest run as a line, and its limit as a tick."""
    y = TOP + number * ROW
    middle, colour = y + ROW / 2, PASS if judged.verdict == "PASS" else MISSED
    low, high = x(min(judged.values)), x(max(judged.values))
    row = judged.row
    return "\n".join(
        [
            text((LEFT - 10, middle - 2), row.words, 'text-anchor="end"'),
            text((LEFT - 10, middle + 10), f"of {row.theirs}", 'text-anchor="end" font-size="10" fill="#57606a"'),
            f'<rect x="{LEFT}" y="{y + 8}" width="{x(judged.value) - LEFT:.1f}" height="{ROW - 16}" fill="{colour}"/>',
            f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{INK}" stroke-width="1"/>',
            f'<path d="M{x(row.limit):.1f} {y + 3}V{y + ROW - 3}" stroke="{INK}" stroke-width="2"/>',
            text((max(high, x(row.limit)) + 7, middle + 4), shown(judged.value), f'fill="{colour}" font-weight="600"'),
        ]
    )


def axis(rows: int) -> str:
    """Light lines at every fifth, named above."""
    bottom = TOP + rows * ROW
    ticks = [number / 5 for number in range(7)]
    lines = [f'<path d="M{x(tick):.1f} {TOP - 4}V{bottom}" stroke="{FAINT}"/>' for tick in ticks]
    names = [text((x(tick), TOP - 10), f"{tick:g}", 'text-anchor="middle" font-size="11"') for tick in ticks]
    return "\n".join([*lines, *names])


def chart(judged: Sequence[Judged], title: str) -> str:
    """The whole picture as SVG."""
    rows = [each for each in judged if each.row.theirs and not each.missing]
    height = TOP + len(rows) * ROW + 14
    heading = text((LEFT, 22), title, 'font-weight="600"')
    bars = "\n".join(bar(number, row) for number, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f"{heading}\n{axis(len(rows))}\n{bars}\n</svg>\n"
    )
