"""How long a person waits for the table of all models: `kubectl qwen status` as it is typed."""

import asyncio
import sys
import time
from pathlib import Path

from hack.bench_operator.limits import Figures, What
from hack.bench_operator.server import NAMESPACE

RUNS = 3


async def overview(kubeconfig: Path) -> Figures:
    """Seconds from the start of the program to its end, the least of a few: what else runs only adds."""
    return {What.STATUS_SECONDS: min([await _once(kubeconfig) for _ in range(RUNS)])}


async def _once(kubeconfig: Path) -> float:
    command = ["-m", "qwen_operator.cli", "status", f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACE}"]
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    seconds = time.monotonic() - began
    if process.returncode or b"model-1" not in said:
        raise RuntimeError(f"kubectl qwen status: exit status {process.returncode}")
    return seconds
