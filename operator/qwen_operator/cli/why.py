"""`kubectl qwen why`: the chain of causes down to the first one, and the remedy as a command.

Why it exists: "why is it not ready?" at night takes five commands of kubectl otherwise. It must never change anything.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from qwen_operator.cli import access, chain, endings, output, tree, where
from qwen_operator.cli.access import Access
from qwen_operator.cli.around import Around, around
from qwen_operator.core.resource import InvalidResource, parse


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = where.verb(
        verbs,
        "why",
        "why a model is not ready, down to the first cause, and what to type",
        "Follow a model that is not ready down to the first cause: model, child, pod, container, and what was\n"
        "said there. The judgement is the operator's own, made anew from what lives now.",
        endings.listed(endings.OF_A_MODEL),
    )
    parser.set_defaults(verb=run)
    where.add_model(parser)
    output.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Tell why; returns the exit status."""

    async def work(cluster: Access) -> int:
        body = await cluster.model(options.name)
        found = chain.account(body, await _around(cluster, body), datetime.now(UTC).isoformat(timespec="seconds"))
        if options.output:
            output.write(document(found), options.output)
        else:
            Console(highlight=False).print(tree.of(found), crop=False)  # a command is copied whole
        return endings.YES if found.ready else endings.NO

    return access.carried_out(options, work)


def document(account: chain.Account) -> dict[str, Any]:
    """The account for programs."""
    return {
        "model": account.model,
        "namespace": account.namespace,
        "ready": account.ready,
        "reason": account.reason,
        "message": account.message,
        "chain": [{"kind": link.kind, "name": link.name, "state": link.state} for link in account.links],
        "commands": list(account.commands),
        "unseen": list(account.unseen),
    }


async def _around(cluster: Access, body: dict[str, Any]) -> Around:
    try:
        return await around(cluster, parse(body))
    except InvalidResource:  # the chain says so itself
        return Around()
