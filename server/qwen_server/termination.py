"""Why the server ends, in one line that the operator reads: the termination message of the container.

The operator turns the reasons, by name, into conditions. A message must never hold content or a key.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MESSAGE_BYTES = 1024
"""Upper bound of a message: kubelet keeps at most 4096 bytes of the whole file, and a status should stay readable."""


class Reason(StrEnum):
    """Why the server cannot go on."""

    MODEL_PATH_NOT_FOUND = "ModelPathNotFound"
    """The folder that --model names does not exist."""
    MODEL_INVALID = "ModelInvalid"
    """The folder holds no config.json or no weights that the engine can read."""
    NO_USABLE_KEY = "NoUsableKey"
    """The keys directory holds no key at start: nobody could be served."""
    CONTEXT_TOO_LONG = "ContextTooLong"
    """The context asked for is longer than the model's own limit."""
    INVALID_ARGUMENT = "InvalidArgument"
    """A flag is unknown or its value impossible."""
    ENGINE_START_FAILED = "EngineStartFailed"
    """The engine gave up while loading; the message carries its own last error line."""
    ENGINE_DEAD = "EngineDead"
    """The engine died, or hung for longer than the stall limit, while serving."""


USER_REASONS = frozenset(Reason) - {Reason.ENGINE_START_FAILED, Reason.ENGINE_DEAD}
"""What the user must mend: a restart alone changes nothing."""

EXIT_CLEAN = 0
EXIT_SOFTWARE = 70
EXIT_CONFIG = 78


@dataclass(frozen=True, slots=True)
class Termination:
    """A failing end: its reason and one sentence with the remedy."""

    reason: Reason
    message: str

    @property
    def exit_status(self) -> int:
        """The status of sysexits.h: 78 for something the user must mend, 70 for an engine failure."""
        return EXIT_CONFIG if self.reason in USER_REASONS else EXIT_SOFTWARE

    def line(self) -> str:
        """One line of JSON: `{"reason": …, "message": …}`, the message cut to MESSAGE_BYTES."""
        sentence = " ".join(self.message.split()).encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore")
        return json.dumps({"reason": str(self.reason), "message": sentence}, ensure_ascii=False)


def write_termination(path: Path, termination: Termination) -> None:
    """Leave the message for the operator. Where kubelet has put no file under /dev, nothing is written."""
    flags = os.O_WRONLY | os.O_TRUNC | (0 if path.parent == Path("/dev") else os.O_CREAT)
    with contextlib.suppress(OSError), os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8") as file:
        file.write(termination.line() + "\n")
