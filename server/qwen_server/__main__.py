"""The program: `qwen-server`, also as `python -m qwen_server`.

Importing it must do nothing: the engine's processes are spawned and import it again.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from qwen_server.auth import KeyRing
from qwen_server.command_line import SettingsError, settings
from qwen_server.engine.base import EngineStartFailed
from qwen_server.engine.choice import chosen_engine
from qwen_server.journal import Journal, route_logging
from qwen_server.keyfiles import holds_digest
from qwen_server.preconditions import CannotStart, keys_of, listen
from qwen_server.serve import Sockets, serve
from qwen_server.settings import EngineName, Settings
from qwen_server.terminal import Opening, Terminal, prepare_journal
from qwen_server.termination import EXIT_CLEAN, Reason, Termination, write_termination

TERMINATION_LOG = "--termination-log"


def own_version() -> str:
    """The release that is installed; sources that were never installed have none."""
    try:
        return version("qwen-operator")
    except PackageNotFoundError:
        return "unreleased"


def opening(wanted: Settings, sockets: Sockets, ring: KeyRing) -> Opening:
    """What a person is told first."""
    names = ring.valid()
    files = [ring.directory / name for name in names]
    return Opening(
        version=own_version(),
        model=wanted.engine_settings.model,
        served_model_name=wanted.engine_settings.served_model_name,
        engine=engine_in_words(wanted),
        host=wanted.host,
        port=sockets.api.getsockname()[1],
        management_port=sockets.management.getsockname()[1],
        keys=tuple(names),
        legible=next((file for file in files if not holds_digest(file)), None),
    )


def engine_in_words(wanted: Settings) -> str:
    """What computes, and where."""
    if wanted.engine is EngineName.SCRIPTED:
        return "scripted answers, no model"
    return f"vLLM on the {wanted.engine_settings.device.upper()}"


def run(wanted: Settings, journal: Journal) -> Termination | None:
    """Serve until the end. None after a clean one. Raises CannotStart, EngineStartFailed."""
    ring = keys_of(wanted.keys, journal)
    sockets = Sockets(
        api=listen(wanted.host, wanted.port, "--port"),
        management=listen(wanted.host, wanted.management_port, "--management-port"),
    )
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
    if isinstance(journal, Terminal):
        journal.open(opening(wanted, sockets, ring))
        work = journal.beside(work, engine.progress)
    return uvloop.new_event_loop().run_until_complete(work)


def termination_log(arguments: Sequence[str]) -> Path:
    """Where the reason goes when the command line itself is wrong."""
    for flag, value in pairwise([*arguments, ""]):
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
    except KeyboardInterrupt:  # before anybody listens for the signal
        return None
    except Exception as error:  # a defect of ours: the journal has the place, nobody gets a traceback
        journal.failure("crashed", error)
        return Termination(
            Reason.ENGINE_START_FAILED, f"The server failed by a defect of its own: {type(error).__name__}."
        )


def describe(arguments: Sequence[str]) -> None:
    """Print the interface as an OpenAPI document."""
    argparse.ArgumentParser(prog="qwen-server openapi", description=describe.__doc__).parse_args(arguments)
    from qwen_server.openapi.document import text  # only who asks for it waits for it

    sys.stdout.write(text(own_version()))


def main() -> None:
    """Entry point. Ends the process at once: a thread that still loads a model must not hold it up."""
    arguments, journal = sys.argv[1:], prepare_journal(sys.stderr)
    if arguments[:1] == ["openapi"]:
        describe(arguments[1:])
        return
    route_logging(journal)
    ended = outcome(arguments, journal)
    if ended is None:
        journal.note("stopped")
    else:
        journal.note("failed", "error", reason=ended.reason, message=ended.message)
        if isinstance(journal, Terminal):
            journal.advise(ended)
        write_termination(termination_log(arguments), ended)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(ended.exit_status if ended else EXIT_CLEAN)


if __name__ == "__main__":
    main()
