"""What a verb found out, as a document for programs.

Why it exists: `-o json` and `-o yaml` mean the same in every verb. It must never round, colour or cut.
"""

import argparse
import sys
from typing import Any

import msgspec

FORMATS = ("json", "yaml")


def add_to(parser: argparse.ArgumentParser) -> None:
    """The flag; without it a person reads."""
    parser.add_argument("-o", "--output", choices=FORMATS, help="a document for programs")


def write(document: Any, form: str) -> None:
    """Print a document of plain values in one of `FORMATS`."""
    sys.stdout.write(text(document, form))
    sys.stdout.flush()


def text(document: Any, form: str) -> str:
    """A document of plain values, with a line's end."""
    if form == "yaml":
        import yaml

        written: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        return written
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
