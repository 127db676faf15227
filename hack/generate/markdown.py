"""Markdown as functions of text. Never knows what it prints."""

from collections.abc import Iterable, Sequence


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell may hold any text but a line break, which becomes a blank."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    """Return text as inline code, or nothing if it is empty."""
    return f"`{text}`" if text else ""


def block(text: str, language: str = "text") -> str:
    """Return text as a fenced block."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def _cell(text: str) -> str:
    """Return text on one line; outside of inline code an angle bracket would open an HTML tag."""
    parts = " ".join(text.replace("|", "\\|").split()).split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))
