"""The command line of `kubectl qwen`.

Why it exists: kubectl runs a program called kubectl-qwen for it, and hands the rest of the line on. It must never show
a traceback for what a person can mend: one sentence, and an exit status that `--help` lists.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from qwen_operator.cli import endings, fit

PROGRAM = "kubectl qwen"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Carry out one verb and exit with its status."""
    options = _parser().parse_args(arguments)
    try:
        status = options.verb(options)
    except endings.Mistake as mistake:
        print(f"{PROGRAM}: {mistake}", file=sys.stderr)
        sys.exit(endings.USAGE)
    except endings.Unknowable as reason:
        print(f"{PROGRAM}: {reason}", file=sys.stderr)
        sys.exit(endings.UNKNOWN)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Qwen models on Kubernetes, from the command line.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    fit.add_to(verbs)
    return parser


if __name__ == "__main__":
    main()
