"""A bar of where the memory of one GPU goes.

Why it exists: that the KV cache has a tenth of the room that the weights have is seen at a glance. It must never draw a
part as nothing that is something.
"""

from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qwen_operator.core.fit.memory import GIB
from qwen_operator.core.fit.verdict import Gpu, Sizes

WIDTH = 64
"""Characters of the whole bar."""


class Part(NamedTuple):
    """A stretch of the bar."""

    what: str
    size: int
    """Bytes."""
    mark: str
    style: str


def parts(sizes: Sizes, gpu: Gpu) -> list[Part]:
    """What the memory is used for, in the order of the bar; what is too much takes the place of what is left."""
    spare = sizes.usable - sizes.need
    over = max(0, -spare)
    return [
        Part("weights", sizes.weights, "█", "blue"),
        Part("overhead", sizes.overhead, "▓", "magenta"),
        Part("KV cache asked for", max(0, sizes.kv_cache - over), "▒", "cyan"),
        Part("KV cache for more", max(0, spare), "░", "green"),
        Part("too much", over, "X", "bold red"),
        Part(f"beyond utilization {gpu.utilization:g}", 0 if over else gpu.memory - sizes.usable, "·", "dim"),
    ]


def of(sizes: Sizes, gpu: Gpu) -> RenderableType:
    """The bar, and below it what its marks mean."""
    shown = [part for part in parts(sizes, gpu) if part.size > 0]
    lengths = _lengths([part.size for part in shown])
    drawn = ((part.mark * length, part.style) for part, length in zip(shown, lengths, strict=True))
    legend = Table.grid(padding=(0, 2, 0, 0))
    legend.add_column()
    legend.add_column()
    legend.add_column(justify="right")
    for part in shown:
        legend.add_row(Text(part.mark, part.style), part.what, f"{part.size / GIB:.1f} GiB")
    return Group(Text.assemble(*drawn), legend)


def _lengths(sizes: list[int]) -> list[int]:
    """Characters of each part, at least one, `WIDTH` together."""
    whole = sum(sizes)
    lengths = [max(1, round(WIDTH * size / whole)) for size in sizes]
    lengths[lengths.index(max(lengths))] += WIDTH - sum(lengths)
    return lengths
