"""Programs that a step starts: their output goes into the log, their last words into the message a person reads."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hack.demo.errors import DemoError

NOISE = "command terminated with exit code"  # kubectl's own last line, below the program's


def found(name: str, remedy: str) -> str:
    """The path of a program; raises DemoError with the remedy when there is none."""
    path = shutil.which(name)
    if path is None:
        raise DemoError(f"The program {name} is not on the PATH; {remedy}.")
    return path


def last_words(text: str) -> str:
    """The last line that says something, which is where command-line programs put the reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(NOISE)]
    return lines[-1][:600] if lines else "it said nothing"


def run(
    arguments: Sequence[str],
    log: Path,
    *,
    stdin: str | None = None,
    seconds: float = 120,
    accept: Sequence[int] = (0,),
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; raises DemoError when it fails or takes longer than `seconds`.

    The log gets the command, what it said on standard error and its status; its output only if it failed, because a
    Secret may be in it.
    """
    try:
        done = subprocess.run(
            arguments, input=(stdin or "").encode(), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise DemoError(f"{name_of(arguments)} did not end within {seconds:.0f} s.") from None
    except OSError as error:
        raise DemoError(f"{name_of(arguments)} cannot be started: {error.strerror}.") from error
    failed = done.returncode not in accept
    with log.open("ab") as book:
        book.write(f"$ {shlex.join(arguments)[:400]}\n".encode() + done.stderr)
        book.write((done.stdout if failed else b"") + f"= {done.returncode}\n".encode())
    if failed:
        words = last_words((done.stderr or done.stdout).decode(errors="replace")).rstrip(".")
        raise DemoError(f"{name_of(arguments)} failed: {words}.")
    return done


def name_of(arguments: Sequence[str]) -> str:
    """A command in the few words that a message has room for: the program and its verb."""
    verb = next((word for word in arguments[1:] if not word.startswith("-") and "/" not in word), "")
    return f"`{Path(arguments[0]).name} {verb}`"
