"""The entry point of `qwen-server`: it is there before anything that the server needs, and says so if that is missing.

It must never import anything but the standard library before that.
"""

import sys

INTERRUPTED = 130
"""A shell's status for a program that Ctrl-C ended."""


def main() -> None:
    """Run the program. A missing package or an impatient person ends it without a traceback."""
    try:
        from qwen_server.__main__ import main as run
    except ModuleNotFoundError as error:
        if str(error.name).startswith("qwen_server"):
            raise
        sys.exit(
            f"qwen-server: The package {error.name} is not installed; install qwen-operator with the extra `server`."
        )
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()
