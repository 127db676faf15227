"""A real server process with the scripted engine, as an operator would start it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.server_unit.builders import KEY
from tests.server_unit.waiting import wait_until

START_SECONDS = 60.0
"""A bound for a machine under load, never a time that is waited for."""


@dataclass
class Process:
    """A server, its files, and what it said."""

    folder: Path
    arguments: list[str] = field(default_factory=list)
    script: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: {"HOME": "/"})
    start_seconds: float = START_SECONDS
    popen: "subprocess.Popen[bytes] | None" = None

    @property
    def keys(self) -> Path:
        """The directory of keys."""
        return self.folder / "keys"

    def prepare(self) -> "Process":
        """Lay the files out: one key, and the script."""
        self.keys.mkdir()
        (self.keys / "alice").write_text(KEY)
        (self.folder / "script.json").write_text(json.dumps(self.script))
        return self

    def flags(self) -> dict[str, object]:
        """Free ports, no delay, everything inside of the folder."""
        return {
            "--model": self.folder,
            "--served-model-name": "qwen3",
            "--device": "cpu",
            "--engine": "scripted",
            "--script": self.folder / "script.json",
            "--keys": self.keys,
            "--host": "127.0.0.1",
            "--port": 0,
            "--management-port": 0,
            "--endpoint-delay": 0,
            "--termination-log": self.folder / "termination-log",
        }

    def command(self) -> list[str]:
        """The command line."""
        words = [str(word) for pair in self.flags().items() for word in pair]
        return [sys.executable, "-m", "qwen_server", *words, *self.arguments]

    def start(self) -> "Process":
        """Begin."""
        with (self.folder / "stdout").open("wb") as out, (self.folder / "stderr").open("wb") as errors:
            self.popen = subprocess.Popen(self.command(), stdout=out, stderr=errors, env=os.environ | self.environment)
        return self

    def running(self) -> "subprocess.Popen[bytes]":
        """The started process."""
        assert self.popen is not None
        return self.popen

    def output(self) -> str:
        """Everything it wrote, on both streams."""
        return (self.folder / "stdout").read_text() + (self.folder / "stderr").read_text()

    def journal(self, event: str | None = None) -> list[dict[str, Any]]:
        """The lines of one event, or all."""
        lines = [json.loads(line) for line in (self.folder / "stderr").read_text().splitlines(keepends=True)]
        return [line for line in lines if event in (None, line["event"])]

    def listening(self) -> "Process":
        """Wait until the ports are known."""
        wait_until(lambda: '"starting"' in self.output() or self.running().poll() is not None, self.start_seconds)
        return self

    def ready(self) -> "Process":
        """Wait until the engine is loaded."""
        wait_until(lambda: '"ready"' in self.output() or self.running().poll() is not None, self.start_seconds)
        return self

    @property
    def url(self) -> str:
        """The API."""
        return f"http://127.0.0.1:{self.journal('starting')[0]['port']}"

    @property
    def management(self) -> str:
        """Probes and metrics."""
        return f"http://127.0.0.1:{self.journal('starting')[0]['management_port']}"

    def probe(self, path: str) -> int:
        """The status of a probe."""
        return httpx.get(self.management + path).status_code

    def terminate(self) -> None:
        """Ask it to end, as kubelet does."""
        self.running().send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        return self.running().wait(START_SECONDS)

    def reason(self) -> dict[str, str]:
        """The termination message."""
        parsed: dict[str, str] = json.loads((self.folder / "termination-log").read_text())
        return parsed


@dataclass(frozen=True)
class Burden:
    """What a process holds of the system."""

    files: int
    threads: int
    kilobytes: int
    """Of memory that is its own."""


def burden(process: Process) -> Burden:
    """What it carries now, as the system counts it."""
    system = Path("/proc") / str(process.running().pid)
    status = dict(line.split(":", 1) for line in (system / "status").read_text().splitlines())
    return Burden(len(list((system / "fd").iterdir())), int(status["Threads"]), int(status["RssAnon"].split()[0]))


@contextmanager
def a_process(folder: Path, *arguments: str, **script: object) -> Iterator[Process]:
    """A started process that is gone afterwards, whatever the test did."""
    process = Process(folder, list(arguments), script).prepare()
    try:
        yield process.start()
    finally:
        if process.popen is not None:
            process.popen.kill()
            process.popen.wait()
