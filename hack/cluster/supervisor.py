"""Keeps components running: starts them, starts them again when they end, reaps what they leave, ends them on request.

One thread and no callbacks: signals are taken from a queue. It must never know what a component is for.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from hack.cluster.components import Component

SIGNALS: Final = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT})
TICK: Final = 0.1
GRACE: Final = 2.0
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 10.0
STEADY: Final = 60.0


@dataclass(frozen=True)
class Record:
    """A component as it stands.

    `process` is 0 while it waits to be started again, `since` is in seconds since 1970, `delay` is how many seconds it
    waits, or last waited, before it is started again.
    """

    name: str
    process: int
    since: float
    restarts: int = 0
    delay: float = 0.0


def ended(record: Record, now: float) -> Record:
    """The record of a component that has just ended; the next start waits longer unless it had run for a minute."""
    steady = now - record.since >= STEADY
    longer = FIRST_DELAY if steady or not record.delay else min(2 * record.delay, LONGEST_DELAY)
    return replace(record, process=0, since=now, delay=longer)


def started(record: Record, process: int, now: float) -> Record:
    """The record of a component that was started again."""
    return replace(record, process=process, since=now, restarts=record.restarts + 1)


class Supervisor:
    """Runs components with one log file each in `logs`, and keeps a list of them as JSON in `records`."""

    def __init__(self, logs: Path, records: Path) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._logs = logs
        self._file = records
        self._components: dict[str, Component] = {}
        self._records: dict[str, Record] = {}

    def start(self, component: Component) -> None:
        """Start a component, with the log of an earlier run kept as `.old`."""
        log = self._log(component)
        if log.exists():
            log.rename(log.with_suffix(".log.old"))
        self._components[component.name] = component
        self._record(self._attempt(Record(component.name, 0, time.time(), restarts=-1)))

    def watch(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Keep the components running until the condition holds (True), or somebody asks for an end (False)."""
        while not until():
            received = signal.sigtimedwait(SIGNALS, TICK)
            if received is not None and received.si_signo != signal.SIGCHLD:
                return False
            self._reap()
            self._start_again()
        return True

    def stop(self) -> None:
        """Ask every component to end, last started first, and wait for them a short while."""
        for record in reversed(self._records.values()):
            if record.process:
                os.kill(record.process, signal.SIGTERM)
        self._components.clear()
        deadline = time.monotonic() + GRACE
        while any(record.process for record in self._records.values()) and time.monotonic() < deadline:
            signal.sigtimedwait(SIGNALS, TICK)
            self._reap()

    def _attempt(self, record: Record) -> Record:
        try:
            return started(record, self._spawn(self._components[record.name]), time.time())
        except OSError as error:  # a program that is gone or a full disk must not end the node
            print(f"{record.name} cannot be started: {error}", flush=True)
            return ended(record, time.time())

    def _spawn(self, component: Component) -> int:
        output = (os.POSIX_SPAWN_OPEN, 1, str(self._log(component)), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        silent = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        return os.posix_spawnp(
            component.command[0],
            component.command,
            os.environ,
            file_actions=[silent, output, (os.POSIX_SPAWN_DUP2, 1, 2)],
            setsigmask=(),
        )

    def _reap(self) -> None:
        while process := _ended_child():
            for record in tuple(self._records.values()):
                if record.process == process:
                    self._record(ended(record, time.time()))

    def _start_again(self) -> None:
        now = time.time()
        for record in tuple(self._records.values()):
            if not record.process and now - record.since >= record.delay:
                self._record(self._attempt(record))

    def _record(self, record: Record) -> None:
        self._records[record.name] = record
        partial = self._file.with_suffix(".partial")
        with contextlib.suppress(OSError):  # the list is only shown to people
            partial.write_text(json.dumps([asdict(each) for each in self._records.values()]))
            partial.replace(self._file)

    def _log(self, component: Component) -> Path:
        return self._logs / f"{component.name}.log"


def _ended_child() -> int:
    """The process id of a child that has ended and is now reaped, or 0."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0
