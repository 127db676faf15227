"""The program: `qwen-server`, also as `python -m qwen_server`.

Importing it must do nothing: the engine's processes are spawned and import it again.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from qwen_server.auth import KeyRing
from qwen_server.command_line import SettingsError, settings
from qwen_server.engine.base import EngineStartFailed
from qwen_server.engine.choice import chosen_engine
from qwen_server.journal import Journal, route_logging
from qwen_server.serve import Sockets, serve
from qwen_server.settings import Settings
from qwen_server.termination import EXIT_CLEAN, Reason, Termination, write_termination

BACKLOG = 2048
TERMINATION_LOG = "--termination-log"


def own_version() -> str:
    """The release that is installed; sources that were never installed have none."""
    try:
        return version("qwen-operator")
    except PackageNotFoundError:
        return "unreleased"


class CannotStart(Exception):  # noqa: N818 - names what happened
    """The server cannot even begin; carries the reason for the operator."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.termination = Termination(reason, message)


def listen(host: str, port: int) -> socket.socket:
    """A bound and listening socket. Raises CannotStart when the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        message = f"Cannot listen on {host} port {port} ({error.strerror}); free the port or choose another one."
        raise CannotStart(Reason.INVALID_ARGUMENT, message) from None
    bound.setblocking(False)  # noqa: FBT003 - positional only
    return bound


def keys_of(directory: Path, journal: Journal) -> KeyRing:
    """The keys at start. Raises CannotStart when there is none: nothing is loaded for nobody."""
    ring = KeyRing(directory, journal)
    if ring.load() == 0:
        message = f"No valid API key in {directory}; put one into a file there, for instance by the model's key Secret."
        raise CannotStart(Reason.NO_USABLE_KEY, message)
    return ring


def run(wanted: Settings, journal: Journal) -> Termination | None:
    """Serve until the end. None after a clean one. Raises CannotStart, EngineStartFailed."""
    ring = keys_of(wanted.keys, journal)
    sockets = Sockets(api=listen(wanted.host, wanted.port), management=listen(wanted.host, wanted.management_port))
    registry = CollectorRegistry()
    engine = chosen_engine(wanted, registry, journal)
    journal.note(
        "starting",
        version=own_version(),
        model=wanted.engine_settings.served_model_name,
        engine=wanted.engine,
        port=sockets.api.getsockname()[1],
        management_port=sockets.management.getsockname()[1],
        keys=len(ring.keys),
    )
    work = serve(wanted, engine, ring, registry, journal, sockets, own_version())
    return uvloop.new_event_loop().run_until_complete(work)


def termination_log(arguments: Sequence[str]) -> Path:
    """Where the reason goes when the command line itself is wrong."""
    for flag, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if flag == TERMINATION_LOG:
            return Path(value)
        if flag.startswith(TERMINATION_LOG + "="):
            return Path(flag.partition("=")[2])
    return Path("/dev/termination-log")


def outcome(arguments: Sequence[str], journal: Journal) -> Termination | None:
    """Run, and say how it ended."""
    try:
        return run(settings(arguments, own_version()), journal)
    except SettingsError as error:
        return Termination(Reason.INVALID_ARGUMENT, str(error))
    except EngineStartFailed as error:
        return Termination(error.reason, str(error))
    except CannotStart as error:
        return error.termination
    except Exception as error:  # a defect of ours: the journal has the place, nobody gets a traceback
        journal.failure("crashed", error)
        return Termination(
            Reason.ENGINE_START_FAILED, f"The server failed by a defect of its own: {type(error).__name__}."
        )


def main() -> None:
    """Entry point. Ends the process at once: a thread that still loads a model must not hold it up."""
    arguments, journal = sys.argv[1:], Journal()
    route_logging(journal)
    ended = outcome(arguments, journal)
    if ended is None:
        journal.note("stopped")
    else:
        journal.note("failed", "error", reason=ended.reason, message=ended.message)
        write_termination(termination_log(arguments), ended)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(ended.exit_status if ended else EXIT_CLEAN)


if __name__ == "__main__":
    main()
