"""`kubectl qwen chat`: a conversation in the terminal.

Why it exists: "does it answer?" is asked in a minute, with the user's own rights and nothing to set up. It must never
show or keep the key.
"""

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from qwen_operator.cli import access, endings, key_secret, keyring, models, values, where
from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import Mistake, NotThere, Unseen
from qwen_operator.core import names
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import served_name

if TYPE_CHECKING:
    from qwen_operator.cli.conversation import Conversation

VARIABLE = "QWEN_API_KEY"


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = where.verb(
        verbs,
        "chat",
        "talk to a model in the terminal",
        "Talk to a model, through the API server. The key is read from the model's Secret if you may, else from\n"
        f"${VARIABLE}. Without a terminal, standard input is one question.",
        endings.listed(endings.DONE),
    )
    parser.set_defaults(verb=run)
    where.add_model(parser)
    parser.add_argument("--key", metavar="KEY", help=f"name of the key; default: {names.GENERATED_KEY}, or any other")


def run(options: argparse.Namespace) -> int:
    """Talk; returns the exit status."""

    async def work(cluster: Access) -> int:
        from qwen_operator.cli.conversation import Conversation
        from qwen_operator.cli.tunnel import Tunnel

        model = await models.parsed(cluster, options.name)
        key = await _key(cluster, model, options.key)
        async with Tunnel(cluster, model.metadata.name, lambda _: None).listening(0) as port:
            await _talk(Conversation(values.base_url(port), key, served_name(model)))
        return endings.YES

    return access.carried_out(options, work)


async def _talk(conversation: "Conversation") -> None:
    if not sys.stdin.isatty():
        await _answer(conversation, sys.stdin.read())
        return
    while question := await _asked():
        if question.strip():
            await _answer(conversation, question.removesuffix("\n"))


async def _asked() -> str:
    """A line that somebody types, empty at the end of input; awaited without a thread, which no interrupt would end."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    print("> ", end="", flush=True)
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()


async def _answer(conversation: "Conversation", question: str) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    thinking = False
    async for piece in conversation.ask(question):
        if thinking and not piece.thought:
            console.print("\n")
        thinking = piece.thought
        console.print(piece.text, end="", style="dim" if piece.thought else "")
    console.print()


async def _key(cluster: Access, model: QwenModel, name: str | None) -> str:
    """A key of the Secret that can be told, else that of the environment."""
    try:
        data = (await key_secret.read(cluster, model)).data
    except (Unseen, NotThere) as reason:
        if found := os.environ.get(VARIABLE):
            return found
        raise Mistake(f"{reason} Set {VARIABLE} to a key that you were given.") from None
    active = [each.name for each in keyring.entries(data, {}, datetime.now(UTC)) if each.state == "Active"]
    wanted = (name,) if name else (names.GENERATED_KEY, *active)
    usable = [key for each in wanted if each in active and (key := keyring.plain(data, each))]
    if found := next(iter(usable), os.environ.get(VARIABLE)):
        return found
    which = f"no key {name} that can be read" if name else "no key that can be read"
    raise Mistake(f"The model's Secret holds {which}, only digests or nothing; set {VARIABLE} to a key.")
