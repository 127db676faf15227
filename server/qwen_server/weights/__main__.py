"""The command line: `qwen-weights measure | fetch | verify | describe`, also as `python -m qwen_server.weights`.

What it ends with is one line in the termination message: the model's facts after a success, else reason and sentence.
The exit status says whether trying again can help: 0, 78 (somebody must mend it), 75 (it may pass), 70 (a defect of
ours).
"""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from qwen_server.journal import Journal
from qwen_server.termination import EXIT_CLEAN, write_line
from qwen_server.weights import inspection
from qwen_server.weights.arrival import Ground
from qwen_server.weights.command import DEFAULT_LOG, HUB_ENDPOINT, TERMINATION_LOG, Check, Command, command, token
from qwen_server.weights.fetching import fetch
from qwen_server.weights.listing import Origin
from qwen_server.weights.measuring import measure
from qwen_server.weights.progress import Gauge, Stage
from qwen_server.weights.reasons import Reason, WeightsError
from qwen_server.weights.reporting import reporting
from qwen_server.weights.source import Bucket, Hub, Mounted

HUB_LIBRARY: Final = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "0",  # the server's images say 1, and this may run in one
}
"""What the hub's library reads while it is imported."""


def origin(wanted: Command, environment: Mapping[str, str]) -> Origin:
    """Where the files come from. The libraries are heavy, and only one of the two is needed."""
    if isinstance(wanted.source, Hub):
        from qwen_server.weights.hub import HubOrigin

        endpoint = wanted.endpoint or environment.get("HF_ENDPOINT") or HUB_ENDPOINT
        return HubOrigin(wanted.source, endpoint, token(wanted.token_file, environment), wanted.patience.stall)
    from qwen_server.weights.bucket import BucketOrigin

    assert isinstance(wanted.source, Bucket)  # noqa: S101 - the other kinds of source are not fetched
    store = wanted.endpoint or environment.get("AWS_ENDPOINT_URL")
    return BucketOrigin(wanted.source, store, wanted.patience.stall, environment)


def fetched(wanted: Command, gauge: Gauge, journal: Journal) -> str:
    """Fetch, then describe. Raises WeightsError."""
    assert wanted.source is not None  # noqa: S101 - the parser demands one
    if not isinstance(wanted.source, Mounted):
        ground = Ground(wanted.folder, origin(wanted, os.environ), wanted.patience, gauge, journal)
        fetch(wanted.source.uri, ground, thoroughly=wanted.check is Check.CHECKSUM)
    elif wanted.check is Check.CHECKSUM:
        gauge.enter(Stage.CHECKING)
        inspection.verify(wanted.folder, gauge)
    gauge.enter(Stage.DESCRIBING)
    facts = inspection.describe(wanted.folder)
    gauge.enter(Stage.COMPLETE)
    return facts


def result(wanted: Command, journal: Journal) -> str:
    """Do what is asked; the line to end with. Raises WeightsError."""
    gauge = Gauge()
    if wanted.verb == "fetch":
        with reporting(gauge, journal, wanted.host, wanted.port) as port:
            journal.note("starting", source=wanted.source.uri if wanted.source else "", management_port=port)
            return fetched(wanted, gauge, journal)
    if wanted.verb == "measure":
        return measure(origin(wanted, os.environ))
    if wanted.verb == "verify":
        inspection.verify(wanted.folder, gauge)
    return inspection.describe(wanted.folder)


def termination_log(arguments: Sequence[str]) -> Path:
    """Where the last words go when the command line itself is wrong."""
    for flag, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if flag == TERMINATION_LOG:
            return Path(value)
        if flag.startswith(TERMINATION_LOG + "="):
            return Path(flag.partition("=")[2])
    return DEFAULT_LOG


def outcome(arguments: Sequence[str], journal: Journal) -> tuple[str, int]:
    """The line to end with, and the exit status."""
    try:
        return result(command(arguments), journal), EXIT_CLEAN
    except WeightsError as error:
        failure = error
    except Exception as error:  # a defect of ours: the journal has the place, nobody gets a traceback
        journal.failure("crashed", error)
        failure = Reason.FETCH_FAILED.about(why=type(error).__name__)
    journal.note("failed", "error", reason=failure.reason, message=failure.message)
    return failure.line(), failure.exit_status


def main() -> None:
    """Entry point. Ends at once: all that is worth keeping is on the disk already."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    os.environ |= HUB_LIBRARY
    logging.disable()  # libraries name signed addresses in their warnings
    arguments, journal = sys.argv[1:], Journal(sys.stdout)
    line, status = outcome(arguments, journal)
    write_line(termination_log(arguments), line)
    with contextlib.suppress(OSError):
        if status == EXIT_CLEAN:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
