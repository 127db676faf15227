"""A fetch as the weights Job runs it, by its command line: in this process, or in one that may be killed."""

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from qwen_server.journal import Journal
from qwen_server.weights.__main__ import HUB_LIBRARY, outcome
from tests.weights_unit.hub_server import REPOSITORY, Hub
from tests.weights_unit.models import Files

SECONDS = 120.0
"""A bound for a machine under load, never a time that is waited for."""
SOURCE = f"hf://{REPOSITORY}"


@dataclass(frozen=True)
class Ended:
    """What is left of a process."""

    status: int
    output: str
    words: str
    """The termination message."""

    @property
    def told(self) -> dict[str, Any]:
        """The termination message, read."""
        read: dict[str, Any] = json.loads(self.words)
        return read

    @property
    def reason(self) -> str:
        """Why it failed."""
        return str(self.told["reason"])

    def journal(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event."""
        lines = [json.loads(line) for line in self.output.splitlines()]
        return [line for line in lines if line.get("event") == event]


def command(*words: object) -> list[str]:
    """The command line of any verb."""
    return [sys.executable, "-m", "qwen_server.weights", *map(str, words)]


def fetch_command(folder: Path, *flags: object, source: str, endpoint: str) -> list[str]:
    """Fetch into a folder, with the last words beside it and any port."""
    words = folder.with_name(folder.name + ".log")
    fixed = ("--host", "127.0.0.1", "--management-port", 0, "--termination-log", words, "--endpoint", endpoint)
    return command("fetch", source, folder, *fixed, *flags)


def environment(**variables: str) -> dict[str, str]:
    """What a restricted pod has: no home to write to, and nothing of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "AWS_"))}
    return {**kept, "HOME": "/nonexistent", **variables}


def last_words(words: list[str]) -> Path:
    """Where a command line's termination message goes."""
    return Path(words[words.index("--termination-log") + 1])


def run(words: list[str], **variables: str) -> Ended:
    """Run to the end."""
    log = last_words(words)
    log.unlink(missing_ok=True)
    done = subprocess.run(
        words,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), log.read_text() if log.exists() else "")


def run_here(words: list[str], **variables: str) -> Ended:
    """The same without a process: a second faster."""
    out = io.StringIO()
    with mock.patch.dict(os.environ, environment(**variables) | HUB_LIBRARY, clear=True):
        line, status = outcome(words[len(command()) :], Journal(out))
    return Ended(status, out.getvalue(), line)


def fetch(folder: Path, *flags: object, hub: Hub, source: str = SOURCE, **variables: str) -> Ended:
    """Fetch from a hub, to the end."""
    return run_here(fetch_command(folder, *flags, source=source, endpoint=hub.url), **variables)


def contents(folder: Path) -> Files:
    """Every file that a server would see."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}
