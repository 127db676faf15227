"""A chain of causes for a terminal.

Why it exists: what hangs below what is seen by its place. It must never show by colour alone what a terminal without
colours would lose.
"""

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from qwen_operator.cli.chain import Account, Link


def of(account: Account) -> RenderableType:
    """All of it, from the model down to the commands."""
    parts: list[RenderableType] = [_chain(account.links), ""]
    parts.append(Text.assemble((account.reason, _style(account)), f": {account.message}"))
    if account.commands:
        parts += ["", *(Text(f"  {command}", "bold", no_wrap=True, overflow="ignore") for command in account.commands)]
    for sentence in account.unseen:
        parts += ["", Text(f"Not seen: {sentence}", "yellow")]
    return Group(*parts)


def _style(account: Account) -> str:
    return "bold green" if account.ready else "bold yellow" if account.passing else "bold red"


def _chain(links: tuple[Link, ...]) -> Tree:
    first, *rest = links
    root = at = Tree(_line(first), guide_style="dim")
    for link in rest:
        at = at.add(_line(link))
    return root


def _line(link: Link) -> Text:
    if link.kind == "Said":
        return Text.assemble((f"said {link.name}: ", "dim"), link.state)
    return Text.assemble((f"{link.kind} ", "dim"), (link.name, "bold"), f"  {link.state}")
