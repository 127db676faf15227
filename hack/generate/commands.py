"""What a program says about its own flags: its `--help`, as a person asks for it. Never reads a parser's insides."""

import os
import subprocess
import sys

WIDTH = "100"


class NoHelp(Exception):  # noqa: N818 - names what happened
    """A program that cannot even print its help."""


def usage(module: str, *command: str) -> str:
    """Return the help text of a command of a module; raises NoHelp with the program's last words if it has none."""
    environment = {**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1", "PYTHON_COLORS": "0"}
    line = [sys.executable, "-m", module, *command, "--help"]
    end = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
    if end.returncode:
        words = (end.stderr.strip() or "it said nothing").splitlines()[-1]
        raise NoHelp(f"'{module} {' '.join(command)} --help' failed, mend it first: {words}")
    return end.stdout
