"""The entry point of `qwen-operator`: it can be asked to end before its imports are done.

Why it exists: as the first process of a container it is sent no signal that it has not asked for, so a pod that is
deleted while the imports run would live on until the end of its grace period. It must never import anything but the
standard library before it has asked.
"""

import os
import signal
from types import FrameType


def leave(number: int, frame: FrameType | None) -> None:
    """End at once and as asked: nothing has begun, or all that has is a Lease, which runs out."""
    del number, frame
    os._exit(0)


def main() -> None:
    """Run the program; once it watches QwenModels, SIGTERM ends it its own way."""
    signal.signal(signal.SIGTERM, leave)
    from qwen_operator.__main__ import main as run

    run()
