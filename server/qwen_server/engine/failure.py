"""Why an engine did not come up, in its own words: the first error of any of its processes.

vLLM's front end only says "Engine core initialization failed"; the cause is in the log of a child. The record is kept
only while the engine starts, before there is any request: it must never be written once there may be content.
"""

import contextlib
import json
import logging
import os
from pathlib import Path

from qwen_server.engine.base import EngineStartFailed
from qwen_server.engine.diagnosis import diagnosis, sentence
from qwen_server.journal import Journal, JournalHandler
from qwen_server.termination import Reason

LONGEST = 600
"""Characters of a cause; the rest of vLLM's longest messages repeats the advice."""
KILLED = "Failed core proc(s): {"


def journal_handler() -> logging.Handler:
    """The handler of vLLM's processes: records go to the journal, without the values in them."""
    return JournalHandler(Journal())


def cause(error: BaseException) -> str:
    """One line for an exception: kind and text; of a text that quotes a traceback, the last line."""
    kind = type(error).__name__
    details = getattr(error, "errors", None)
    if callable(details):  # pydantic: the sentence without its frame
        with contextlib.suppress(Exception):
            return f"{kind}: {details()[0]['msg'].removeprefix('Value error, ')}"[:LONGEST]
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    quoted = lines[-1:] if any(line.startswith("Traceback") for line in lines) else lines
    return ": ".join([kind, " ".join(quoted)] if quoted else [kind])[:LONGEST]


class FailureHandler(logging.Handler):
    """Appends one line an error to a file, as long as that file is there."""

    def __init__(self, path: str) -> None:
        super().__init__(logging.ERROR)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception of the record, or its message where it has none."""
        error = record.exc_info[1] if record.exc_info else None
        line = {"exception": error is not None, "cause": cause(error) if error else record.getMessage()[:LONGEST]}
        with contextlib.suppress(OSError), os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND), "a") as file:
            file.write(json.dumps(line) + "\n")


def first_cause(path: Path) -> str | None:
    """The first exception of any process, else the first error without one, else None."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        ordered = sorted(lines, key=lambda line: not line["exception"])
        return str(ordered[0]["cause"]) if ordered else None
    return None


def explained(error: BaseException, failures: Path, general: Reason, *, loaded: bool) -> EngineStartFailed:
    """The failure with its reason: the child's own error where there is one, else what the front end saw.

    :param general: the reason of an error that is not known more closely.
    :param loaded: whether all weights were read by then.
    """
    own = cause(error)
    found = first_cause(failures)
    if found is None and KILLED in own and ": -9}" in own:
        return EngineStartFailed(
            "The engine's process was killed while loading, most likely for want of memory; give the pod more."
        )
    told = found or own
    return EngineStartFailed(sentence(told), diagnosis(told, loaded=loaded) or general)
