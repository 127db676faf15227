"""Completion for kubectl: the program `kubectl_complete-qwen`, which kubectl runs for `kubectl qwen <TAB>`.

Why it exists: kubectl hands the words over and wants one candidate a line, then a directive. The candidates come from
the live parser, so that no list of verbs or flags is typed twice. It must never print anything else, nor wait long.
"""

import argparse
import asyncio
import contextlib
import io
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from argcomplete import io as debugging
from argcomplete.completers import FilesCompleter, SuppressCompleter
from argcomplete.finders import CompletionFinder

from qwen_operator.cli import access, where
from qwen_operator.cli.__main__ import PROGRAM, parser
from qwen_operator.cli.endings import Ending

SEPARATOR = "\n"
NO_FILES = ":4"
"""kubectl's directive: these are all, offer no file names beside them."""
SECONDS = 3.0
"""That a person waits for names of models; after them there are none."""


class _Silent(CompletionFinder):
    """argcomplete writes for its developers into file descriptor 9, whoever that belongs to; its own hook for tests."""

    def _init_debug_stream(self) -> None:
        debugging.debug_stream = io.StringIO()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print candidates for the last of the words, which may be empty."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    print("\n".join([*candidates(words), NO_FILES]))


def candidates(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last word."""
    *before, last = words or [""]
    typed = " ".join([PROGRAM.replace(" ", "-"), *map(shlex.quote, before), last])
    given = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": SEPARATOR, "COMP_LINE": typed, "COMP_POINT": str(len(typed))}
    written = io.StringIO()
    line = parser()
    _name_models(line)
    os.environ.update(given)
    with contextlib.redirect_stderr(io.StringIO()):
        _Silent()(
            line,
            always_complete_options=last.startswith("-"),
            exit_method=lambda _: None,
            output_stream=written,
            append_space=False,
            default_completer=SuppressCompleter(),
        )
    return [found for found in written.getvalue().split(SEPARATOR) if found]


def _name_models(line: argparse.ArgumentParser) -> None:
    """Let arguments that name a model be completed with those of the cluster, and files with files."""
    for action in line._actions:  # noqa: SLF001  (argparse has no public way to them; argcomplete goes the same)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for each in {*action.choices.values()}:
                _name_models(each)
        elif action.dest == where.MODEL:
            action.completer = _models  # type: ignore[attr-defined]
        elif action.metavar == "FILE":
            action.completer = FilesCompleter()  # type: ignore[attr-defined]


def _models(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Names of the models in the namespace; none rather than an error."""
    flags = {"namespace": None, "context": None, "kubeconfig": None, **vars(parsed_args)}

    async def ask() -> list[str]:
        async with asyncio.timeout(SECONDS), access.reached(argparse.Namespace(**flags)) as cluster:
            return [model["metadata"]["name"] for model in await cluster.models()]

    with contextlib.suppress(Ending, TimeoutError):
        return asyncio.run(ask())
    return []


if __name__ == "__main__":
    main()
