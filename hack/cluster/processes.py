"""Finds our own processes by their command lines, which outlive every crash, unlike a file with a number in it.

And sees that programs which must not outlive us do not.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

POLL: Final = 0.05


def ending_with_us(line: list[str]) -> list[str]:
    """A command that the kernel ends together with us, even if we are killed; Linux only."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *line] if setpriv else line


def runs_module(command: list[str], module: str, argument: str) -> bool:
    """Whether a command line is `python -m MODULE ARGUMENT …` itself, and not a wrapper around it."""
    return command[1:4] == ["-m", module, argument]


def leads_to_module(command: list[str], module: str, argument: str) -> bool:
    """Whether a command line is that, or a wrapper on the way to it."""
    return any(runs_module(command[start:], module, argument) for start in range(len(command)))


def find(module: str, argument: str) -> int:
    """The process that runs `python -m MODULE ARGUMENT …`, or 0."""
    return next((process for process, command in _commands() if runs_module(command, module, argument)), 0)


def exists(module: str, argument: str) -> bool:
    """Whether such a process runs or is just being started."""
    return any(leads_to_module(command, module, argument) for _, command in _commands())


def _commands() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            yield int(entry.name), (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")


def end(process: int, grace: float) -> None:
    """Ask a process to end, and after `grace` seconds make it; returns when it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
        if _gone(process, grace):
            return


def _gone(process: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not reaped does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
