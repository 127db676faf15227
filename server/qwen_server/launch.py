"""The entry point of `qwen-server`: it is there before anything that the server needs, and says so if that is missing.

It must never import anything but the standard library before that.
"""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
"""A shell's status for a program that Ctrl-C ended."""


def leave(number: int, frame: FrameType | None) -> None:
    """End at once and as asked: nothing has begun."""
    del number, frame
    os._exit(0)


def main() -> None:
    """Run the program. A missing package or an impatient person ends it without a traceback.

    As the first process of a container it is sent no signal that it does not ask for: a pod that is deleted while the
    imports run would live on until the end of its grace period.
    """
    signal.signal(signal.SIGTERM, leave)
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
