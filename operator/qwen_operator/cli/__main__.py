"""The command line of `kubectl qwen`.

Why it exists: kubectl runs a program called kubectl-qwen for it, and hands the rest of the line on. It must never show
a traceback for what a person can mend: one sentence, and an exit status that `--help` lists.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from qwen_operator.cli import bundle, chat, config, endings, fit, keys, proxy, render, status, why

PROGRAM = "kubectl qwen"
VERBS = (status, why, keys, config, proxy, chat, fit, render, bundle)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Carry out one verb and exit with its status."""
    options = parser().parse_args(arguments)
    try:
        ended = options.verb(options)
        sys.stdout.flush()
    except endings.Ending as ending:
        print(f"{PROGRAM}: {ending}", file=sys.stderr)
        sys.exit(ending.status)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read it has seen enough; the interpreter must not try to flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(ended)


def parser() -> argparse.ArgumentParser:
    """All verbs with their flags."""
    line = argparse.ArgumentParser(prog=PROGRAM, description="Qwen models on Kubernetes, from the command line.")
    verbs = line.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        verb.add_to(verbs)
    return line


if __name__ == "__main__":
    main()
