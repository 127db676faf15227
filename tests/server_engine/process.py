"""A real server process with vLLM and a tiny model on the CPU: the same command as in a pod."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.server_unit.process import Process

SCRIPTED_ALONE = ("--engine", "--script")


@dataclass
class EngineProcess(Process):
    """The same with vLLM as its engine."""

    environment: dict[str, str] = field(default_factory=dict)
    start_seconds: float = 240.0
    model: Path = Path()

    def flags(self) -> dict[str, object]:
        """Those of any process, with a model instead of a script."""
        given = {name: value for name, value in super().flags().items() if name not in SCRIPTED_ALONE}
        return given | {"--model": self.model, "--dtype": "float32", "--max-model-len": 8192}

    def family(self) -> list[psutil.Process]:
        """All processes that it has started."""
        found: list[psutil.Process] = psutil.Process(self.running().pid).children(recursive=True)
        return found

    def engine(self) -> tuple[psutil.Process, psutil.Process]:
        """vLLM's core and its one worker: what the fork server has started, in this order."""
        core, worker = sorted(
            (each for each in self.family() if each.ppid() != self.running().pid), key=lambda each: each.create_time()
        )
        return core, worker

    def journal(self, event: str | None = None) -> list[dict[str, Any]]:
        """The lines of one event, or all; torch writes some of its own in between."""
        lines = (self.folder / "stderr").read_text().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [line for line in found if event in (None, line["event"])]


@contextmanager
def an_engine_process(
    folder: Path, model: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[EngineProcess]:
    """A started process that is gone afterwards, with all that it started, whatever the test did."""
    process = EngineProcess(folder, list(arguments), environment=environment or {}, model=model)
    process.prepare()
    try:
        process.start()
        yield process
    finally:
        family = process.family() if process.running().poll() is None else []
        process.running().kill()
        process.running().wait()
        psutil.wait_procs(family, timeout=30)
