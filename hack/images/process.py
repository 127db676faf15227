"""Programs that a build starts: every word goes into the log, the telling ones to whoever watches.

A failure becomes one sentence with the program's own last words.
"""

import errno
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.processes import ending_with_us
from hack.images.errors import ImageError

STEP = re.compile(r"\[.*\] STEP (?P<step>\d+/\d+): (?P<what>.*)|#\d+ \[(?P<stage>[^\]]*\d/\d+)\] (?P<rest>.*)")
"""A step of a build as buildah and as BuildKit announce it."""


def telling(line: str) -> str:
    """What a line of a builder's output says about how far it is, in at most 80 characters; empty if nothing."""
    match = STEP.match(line)
    if match is None:
        return ""
    step, what = (match["step"], match["what"]) if match["step"] else (match["stage"], match["rest"])
    words = re.sub(r"--mount=\S+\s*", "", what)
    return f"{step} {' '.join(words.split())}"[:80]


def last_words(lines: list[str]) -> str:
    """The last line that says something; programs put the reason there."""
    told = [line.strip() for line in lines if line.strip()]
    return told[-1][-400:].rstrip(".") if told else "it said nothing"


@dataclass(frozen=True)
class Runner:
    """Starts programs with these variables, in this folder; `tell` hears of progress."""

    log: Path
    environment: Mapping[str, str]
    folder: Path
    tell: Callable[[str], None]

    def succeeds(self, line: list[str]) -> bool:
        """Whether a program ends well; its words are of no interest.

        Raises:
            ImageError: there is no such program.
        """
        try:
            quiet = subprocess.DEVNULL
            done = subprocess.run(line, env=self.environment, stdout=quiet, stderr=quiet, check=False)
        except OSError as error:
            raise ImageError(f"{line[0]} cannot be started: {error.strerror}.") from error
        return done.returncode == 0

    def run(self, line: list[str]) -> None:
        """Run a program to its end; when this is interrupted, it ends too, with every program that it started.

        When we are killed, the kernel ends it: the next build sweeps away whatever an older one works on.

        Raises:
            ImageError: it cannot be started, or it failed.
        """
        if shutil.which(line[0], path=self.environment.get("PATH")) is None:
            raise ImageError(f"{line[0]} cannot be started: {os.strerror(errno.ENOENT)}.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", buffering=1, errors="replace") as book:
            print("$", shlex.join(line), file=book, flush=True)
            try:
                status, lines = self._follow(line, book.write)
            except OSError as error:
                raise ImageError(f"{line[0]} cannot be started: {error.strerror}.") from error
        if status != 0:
            raise ImageError(f"`{line[0]}` failed: {last_words(lines)}. All it said is in {self.log}.")

    def _follow(self, line: list[str], write: Callable[[str], object]) -> tuple[int, list[str]]:
        lines: list[str] = []
        with subprocess.Popen(
            ending_with_us(line),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=self.folder,
            text=True,
            errors="replace",
            process_group=0,
        ) as process:
            try:
                for said in process.stdout or ():
                    write(said)
                    lines = [*lines[-20:], said]
                    if news := telling(said):
                        self.tell(news)
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                raise
        return process.returncode, lines
