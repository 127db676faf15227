"""What the server says about itself: JSON lines about its own life, without content.

It must never write a prompt, a completion, a key, a client's address or a line for each request. Of other libraries'
log records it keeps the template, not the values, because nobody can say what those hold.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

Fact = str | int | float | None


def utc_now() -> str:
    """The time of a line, in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """Writes one line an event."""

    def __init__(self, stream: TextIO | None = None, now: Callable[[], str] = utc_now) -> None:
        self._stream = stream or sys.stderr
        self._now = now

    def note(self, event: str, level: str = "info", **facts: Fact) -> None:
        """Write what happened; the caller names only facts of the server's own."""
        line = {"time": self._now(), "level": level, "event": event, **facts}
        self._stream.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._stream.flush()

    def failure(self, event: str, error: BaseException, **facts: Fact) -> None:
        """Write that something broke: the kind of the error and the place, never its text."""
        self.note(event, "error", error=type(error).__name__, at=place(error.__traceback__), **facts)


def place(traceback: TracebackType | None) -> str:
    """File and line of the innermost frames, outermost first."""
    frames = []
    while traceback is not None:
        frames.append(f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return " > ".join(frames[-4:])


class JournalHandler(logging.Handler):
    """Routes the log records of libraries into the journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """One line with the template of the message."""
        facts: dict[str, Fact] = {"logger": record.name, "message": str(record.msg).strip()}
        if record.exc_info and record.exc_info[1] is not None:
            facts |= {"error": type(record.exc_info[1]).__name__, "at": place(record.exc_info[1].__traceback__)}
        self._journal.note("log", record.levelname.lower(), **facts)


def route_logging(journal: Journal) -> None:
    """Let every library log through the journal, warnings and above."""
    logging.captureWarnings(capture=True)
    logging.root.handlers[:] = [JournalHandler(journal)]
    logging.root.setLevel(logging.WARNING)


def report_lost_errors(loop: asyncio.AbstractEventLoop, journal: Journal) -> None:
    """Errors that nobody awaited reach the journal without the representation of what was at hand."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            journal.failure("lost error", error)
        else:
            journal.note("lost error", "error")

    loop.set_exception_handler(handle)
