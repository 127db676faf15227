"""What must be there before anything is loaded: two free ports, and somebody who may ask.

It must never load anything itself, and never show what a key file holds.
"""

import os
import shlex
import socket
from pathlib import Path

from qwen_server.auth import KeyRing
from qwen_server.journal import Journal
from qwen_server.termination import Reason, Termination

BACKLOG = 2048
A_KEY = "put a file there whose name is the key's name and whose content is the key"


class CannotStart(Exception):  # noqa: N818 - names what happened
    """The server cannot even begin; carries the reason for the operator."""

    def __init__(self, reason: Reason, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.termination = Termination(reason, message, advice)


def listen(host: str, port: int, flag: str) -> socket.socket:
    """A bound and listening socket. Raises CannotStart when the port is taken or the address is not ours.

    :param flag: what the port is chosen by.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        why = (
            os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        )  # its own text has our words twice
        message = f"Cannot listen on {host} port {port} ({why}); free it or choose another one with {flag}."
        raise CannotStart(Reason.INVALID_ARGUMENT, message) from None
    bound.setblocking(False)  # noqa: FBT003 - positional only
    return bound


def making_a_key(directory: Path) -> str:
    """What a person types to get a key called `me`."""
    folder, file = (shlex.quote(str(path)) for path in (directory, directory / "me"))
    return f"mkdir -p -m 700 {folder} && head -c 24 /dev/urandom | base64 > {file}"


def keys_of(directory: Path, journal: Journal) -> KeyRing:
    """The keys at start. Raises CannotStart when there is none: nothing is loaded for nobody."""
    try:
        next(directory.iterdir(), None)
    except OSError as error:
        message = f"The directory of API keys {directory} cannot be read ({error.strerror}); {A_KEY}."
        advice = making_a_key(directory) if isinstance(error, FileNotFoundError) else ""
        raise CannotStart(Reason.NO_USABLE_KEY, message, advice) from None
    ring = KeyRing(directory, journal)
    if ring.load() == 0:
        message = f"There is no valid API key in {directory}; {A_KEY}."
        raise CannotStart(Reason.NO_USABLE_KEY, message, making_a_key(directory))
    return ring
