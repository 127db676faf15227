"""What a person at a terminal sees instead of the journal's lines: how the load goes, where it listens, how to ask.

It must never show a key, and tells no more of the server's life than the journal.
"""

import asyncio
import json
import os
import shlex
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

from qwen_server.engine.base import Progress, Stage
from qwen_server.journal import Fact, Journal
from qwen_server.pace import Load, seconds_left
from qwen_server.termination import PASSING_REASONS, Termination

REDRAW_SECONDS = 0.2
BAR = 24
"""Characters of the bar."""
ERASE = "\r\x1b[K"
"""To the beginning of the line, and nothing on it."""
LEAVES_THE_STAGE = frozenset({"ready", "failed", "stopped"})
"""Events after which the stage last drawn stays on the screen."""
EVERYWHERE = {"0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104 - a way to reach what listens everywhere
GIGABYTE = 1e9

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is known before the load. `keys` are names; `legible` is the file of one that holds the key itself."""

    version: str
    model: Path
    served_model_name: str
    engine: str
    host: str
    port: int
    management_port: int
    keys: tuple[str, ...]
    legible: Path | None


def heading(opening: Opening) -> str:
    """What is going to be done."""
    return (
        f"qwen-server {opening.version} loads {opening.model} as {opening.served_model_name!r} ({opening.engine})."
        " Ctrl-C ends it.\n\n"
    )


def bar(percent: float) -> str:
    """The percentage as a picture."""
    done = int(BAR * percent / 100)
    return "#" * done + "." * (BAR - done)


def amount(progress: Progress) -> str:
    """How many bytes of weights there are, and how many of them are in."""
    if progress.stage is not Stage.LOADING or progress.percent is None or progress.bytes_total is None:
        return ""
    done, total = progress.bytes_done / GIGABYTE, progress.bytes_total / GIGABYTE
    return f"  {bar(progress.percent)} {progress.percent:3.0f} %  {done:.1f} of {total:.1f} GB"


def stage_line(progress: Progress, seconds: float, left: float | None = None) -> str:
    """One stage of the load, after so many seconds of it; how many are left, where that is known."""
    outlook = "" if left is None or progress.stage is not Stage.LOADING else f", {left:.0f} s left"
    return f"  {progress.stage:<16}{seconds:6.1f} s{amount(progress)}{outlook}"


def address(host: str, port: int) -> str:
    """The URL of a listener, as this machine reaches it."""
    name = EVERYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def curl(opening: Opening) -> str:
    """A question that can be pasted into another terminal. The key comes from its file; the line doesn't hold it."""
    body = {"model": opening.served_model_name, "messages": [{"role": "user", "content": "Hello"}]}
    key = f"$(cat {shlex.quote(str(opening.legible))})" if opening.legible else "$KEY"
    return (
        f"  curl {address(opening.host, opening.port)}/v1/chat/completions \\\n"
        f"    -H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json' \\\n"
        f"    -d {shlex.quote(json.dumps(body))}\n"
    )


def invitation(opening: Opening, context: Fact, seconds: float) -> str:
    """What there is to know once it answers, after so many seconds."""
    return (
        f"\nReady after {seconds:.0f} s.\n"
        f"  API        {address(opening.host, opening.port)}/v1\n"
        f"  model      {opening.served_model_name}, context of {context} tokens\n"
        f"  keys       {', '.join(opening.keys)}\n"
        f"  metrics    {address(opening.host, opening.management_port)}/metrics\n"
        f"\nTry it:\n{curl(opening)}\n"
    )


def draining(facts: dict[str, Fact]) -> str:
    """The beginning of the end."""
    running = facts["running"]
    if not running:
        return "Stopping.\n"
    return f"Stopping, once {running} running request(s) are answered; Ctrl-C again ends them.\n"


SENTENCES: dict[str, Callable[[dict[str, Fact]], str]] = {
    "starting": lambda _: "",
    "draining": draining,
    "drain deadline": lambda facts: f"{facts['interrupted']} request(s) were ended and told so.\n",
    "stopped": lambda _: "Stopped.\n",
    "failed": lambda facts: f"qwen-server: {facts['message']}\n",
    "keys reloaded": lambda facts: f"The keys have changed: there are {facts['keys']} now.\n",
    "keys kept": lambda facts: f"{facts['reason']}\n",
    "log": lambda facts: f"{facts['logger']}: {' '.join(str(facts['message']).split())}\n",
    "slow start": lambda facts: f"The start is slower than it could be: {facts['why']}\n",
}
"""What the journal's events are called here; an event without a sentence is shown as it is."""


def sentence(event: str, facts: dict[str, Fact]) -> str:
    """An event for a person."""
    if event in SENTENCES:
        return SENTENCES[event](facts)
    return f"{event}: {', '.join(f'{name} {value}' for name, value in facts.items())}\n"


def prepare_journal(stream: TextIO) -> Journal:
    """The journal for whoever reads this stream: a person, or a program.

    A person's terminal is for the display alone: what libraries and the engine's processes write there is dropped.
    """
    if not stream.isatty():
        return Journal(stream)
    kept = os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8", errors="replace")
    with Path(os.devnull).open("w") as nobody:
        os.dup2(nobody.fileno(), stream.fileno())
    return Terminal(kept)


class Terminal(Journal):
    """The journal of a server that a person watches."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._opening: Opening | None = None
        self._opened = 0.0
        self._drawn = False

    def note(self, event: str, level: str = "info", **facts: Fact) -> None:
        """Say what happened, on a line of its own."""
        if event == "log" and level == "warning":
            return  # libraries talk to their developers there
        if event == "ready" and self._opening is not None:
            text = invitation(self._opening, facts["context"], self._clock() - self._opened)
        else:
            text = sentence(event, facts)
        self._write(("\n" if self._drawn and event in LEAVES_THE_STAGE else ERASE) + text)
        self._drawn = False

    def open(self, opening: Opening) -> None:
        """Say what is going to be done."""
        self._opening, self._opened = opening, self._clock()
        self._write(heading(opening))

    def advise(self, ended: Termination) -> None:
        """Show what can be typed next, if there is anything."""
        if ended.advice:
            self._write(f"\nThis makes one:\n  {ended.advice}\n\n")
        elif self._opening is not None and ended.reason in PASSING_REASONS:
            self._write("\nWith 2>server.log behind the command, the file holds all that the engine writes.\n\n")

    async def beside(self, work: Awaitable[Result], progress: Callable[[], Progress]) -> Result:
        """The work's result; as long as the engine loads, its progress is shown."""
        drawing = asyncio.ensure_future(self._draw(progress))
        try:
            return await work
        finally:
            drawing.cancel()

    async def _draw(self, progress: Callable[[], Progress]) -> None:
        """One line a stage, drawn anew until the next one begins."""
        load, began, before = Load(), self._clock(), progress()
        while (now := progress()).stage is not Stage.READY:
            if now.stage is not before.stage:
                self._write("\n")
                began = self._clock()
            load.saw(now, self._clock())
            left = seconds_left(load.counts, now, self._clock())
            self._write(ERASE + self._fitting(stage_line(now, self._clock() - began, left)))
            self._drawn, before = True, now
            await asyncio.sleep(REDRAW_SECONDS)

    def _fitting(self, line: str) -> str:
        """As much of a line as the terminal is wide: a wrapped one could not be drawn anew."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return line[: columns - 1] if columns else line

    def _write(self, text: str) -> None:
        """At once."""
        self._stream.write(text)
        self._stream.flush()
