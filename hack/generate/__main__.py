"""The command line: write the generated files, or say which of them are stale. Never half: all are worked out first."""

import argparse
import sys
from pathlib import Path

from hack.generate import documents, stale
from hack.generate.commands import NoHelp

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Write or verify; returns the exit status, 1 if something is stale."""
    parser = argparse.ArgumentParser(prog="python -m hack.generate", description="Write the generated files anew.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is stale")
    options = parser.parse_args(arguments)
    try:
        wanted = documents.all_documents(ROOT)
    except NoHelp as reason:
        return report([str(reason)])
    if options.check:
        return report(stale.sentences(wanted, stale.found(ROOT, wanted)))
    write(ROOT, wanted)
    return 0


def report(sentences: list[str]) -> int:
    """Print one sentence a stale file; returns the exit status."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


def write(root: Path, wanted: dict[str, str]) -> None:
    """Write every file that differs, remove every file that nothing generates any more."""
    found = stale.found(root, wanted)
    for name, text in wanted.items():
        if found.get(name) != text:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
            print(f"{name} is written.")
    for name in sorted(found.keys() - wanted.keys()):
        (root / name).unlink()
        print(f"{name} is removed: nothing generates it.")


if __name__ == "__main__":
    sys.exit(main())
