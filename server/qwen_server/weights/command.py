"""The command line of `qwen-weights`, as what it asks for.

Pure but for reading the token that it names. A token is never a word of the command line, where every process can
read it.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from qwen_server.weights.patience import Patience
from qwen_server.weights.reasons import Reason
from qwen_server.weights.source import Mounted, Source, source

HUB_ENDPOINT: Final = "https://huggingface.co"
MANAGEMENT_PORT: Final = 8001
TERMINATION_LOG: Final = "--termination-log"
DEFAULT_LOG: Final = Path("/dev/termination-log")
TOKEN: Final = re.compile(r"[!-~]{1,512}")


ASKING: Final = ("measure", "fetch")
"""Verbs that ask a source."""


class Check(StrEnum):
    """How files that are there already are compared with what was verified."""

    SIZE = "size"
    CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is to be done: `measure`, `fetch`, `verify` or `describe`, and where."""

    verb: str
    folder: Path = field(default_factory=Path)
    """Of no use to `measure`, which asks the source alone."""
    source: Source | None = None
    endpoint: str | None = None
    token_file: Path | None = None
    check: Check = Check.SIZE
    patience: Patience = field(default_factory=Patience)
    host: str = "0.0.0.0"  # noqa: S104 - a pod is reached at its own address
    port: int = MANAGEMENT_PORT
    termination_log: Path = DEFAULT_LOG


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Reason.INVALID_ARGUMENT.about(why=f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def parser() -> argparse.ArgumentParser:
    """Every verb with its flags."""
    top = _Parser(prog="qwen-weights", description="Fetch, verify and describe a model's weights.", allow_abbrev=False)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)
    for verb, words in (
        ("measure", "ask a source how much it holds, and describe that, without fetching it"),
        ("fetch", "have a source's files in a folder, verified, and describe them"),
        ("verify", "compare every byte of a fetched folder with its manifest"),
        ("describe", "print what a fit check needs to know, as one line of JSON"),
    ):
        made = verbs.add_parser(verb, help=words, description=words, allow_abbrev=False)
        if verb in ASKING:
            _source_flags(made)
        if verb == "fetch":
            _fetch_flags(made)
        if verb != "measure":
            made.add_argument("folder", type=Path, help="the model's folder")
        made.add_argument(TERMINATION_LOG, type=Path, default=DEFAULT_LOG, help="file for the last words")
    return top


def _source_flags(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "source", help="hf://organisation/name[@revision], s3://bucket/path, pvc://… or oci://… (mounted)"
    )
    made.add_argument(
        "--endpoint", help=f"of the hub (HF_ENDPOINT, {HUB_ENDPOINT}) or the object store (AWS_ENDPOINT_URL)"
    )
    made.add_argument(
        "--token-file", type=Path, help="file with the hub's token; without it HF_TOKEN of the environment"
    )
    made.add_argument("--stall-timeout", type=_positive, default=60, help="seconds of silence that count as a failure")


def _fetch_flags(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--check", type=Check, choices=list(Check), default=Check.SIZE, help="of files that are there already"
    )
    made.add_argument(
        "--attempts", type=_positive, default=Patience().attempts, help="failures in a row that end the Job"
    )
    made.add_argument("--host", default="0.0.0.0", help="address of /progress")  # noqa: S104 - as above
    made.add_argument("--management-port", type=int, default=MANAGEMENT_PORT, help="port of /progress; 0 for any")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def command(arguments: Sequence[str]) -> Command:
    """What a command line asks for.

    Raises:
        WeightsError: InvalidArgument, SourceInvalid.
    """
    read = parser().parse_args(arguments)
    if read.verb not in ASKING:
        return Command(verb=read.verb, folder=read.folder, termination_log=read.termination_log)
    if read.verb == "measure" and isinstance(source(read.source), Mounted):
        raise Reason.INVALID_ARGUMENT.about(why="measure is for hf:// and s3://; describe looks at what is mounted.")
    asked = Command(
        verb=read.verb,
        source=source(read.source),
        endpoint=_endpoint(read.endpoint),
        token_file=read.token_file,
        patience=Patience(stall=float(read.stall_timeout)),
        termination_log=read.termination_log,
    )
    if read.verb == "measure":
        return asked
    return replace(
        asked,
        folder=read.folder,
        check=read.check,
        patience=replace(asked.patience, attempts=read.attempts),
        host=read.host,
        port=read.management_port,
    )


def _endpoint(written: str | None) -> str | None:
    """An address without a name and password, which would be told to whoever reads a log."""
    if written is None:
        return None
    parts = urlsplit(written)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        why = "--endpoint must be http:// or https:// and a host, without name and password; put those into the Secret."
        raise Reason.INVALID_ARGUMENT.about(why=why)
    return written


def token(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """The hub's token, from a mounted file or the environment; None if there is none.

    Raises:
        WeightsError: InvalidArgument, which never holds what was read.
    """
    try:
        written = file.read_text() if file else environment.get("HF_TOKEN", "")
    except (OSError, UnicodeDecodeError):
        why = f"The token file {file} cannot be read; check model.credentialsRef and its key."
        raise Reason.INVALID_ARGUMENT.about(why=why) from None
    found = written.strip()
    if not found and file is None:
        return None
    if not TOKEN.fullmatch(found):
        why = (
            f"{file or 'HF_TOKEN'} holds no token (one word of visible ASCII); check model.credentialsRef and its key."
        )
        raise Reason.INVALID_ARGUMENT.about(why=why)
    return found
