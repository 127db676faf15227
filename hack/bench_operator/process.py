"""The operator as a process of its own, and what the kernel and its own metrics tell of it."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

TICK = os.sysconf("SC_CLK_TCK")
COUNTED = "qwen_operator_reconcile_seconds_count{"
END_SECONDS = 30.0
IMPORTED = """
from time import process_time
from qwen_operator import footprint
footprint.trim()
import qwen_operator.operation
began = process_time()
from kubernetes.aio.config import {module}
print(open("/proc/self/statm").read().split()[1], process_time() - began)
"""
"""A program that says how many pages it takes with one way to find credentials, and how long its import takes."""
PAGE = os.sysconf("SC_PAGESIZE") / 1e6


class Operator:
    """The operator's process.

    :param started: on the monotonic clock.
    """

    def __init__(self, pid: int, port: int, started: float) -> None:
        self._pid = pid
        self._url = f"http://127.0.0.1:{port}"
        self.started = started

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self) -> float:
        """Resident memory in MB."""
        return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) * PAGE

    async def reconciles(self) -> int:
        """Looks at models since the start; 0 while it does not answer yet."""
        lines = (await self._asked("/metrics"))[1].splitlines()
        return int(sum(float(line.split()[1]) for line in lines if line.startswith(COUNTED)))

    async def ready(self) -> bool:
        """What its readiness probe says."""
        return (await self._asked("/readyz"))[0] == 200

    async def _asked(self, path: str) -> tuple[int, str]:
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as http, http.get(self._url + path) as answer:
                return answer.status, await answer.text()
        return 0, ""


@asynccontextmanager
async def operating(kubeconfig: Path, namespace: str) -> AsyncIterator[Operator]:
    """An operator that serves one namespace, ended behind."""
    port = free_port()
    arguments = ["run", f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", f"--metrics-port={port}"]
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qwen_operator", *arguments, "--log-level=error"
    )
    try:
        yield Operator(process.pid, port, started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), END_SECONDS)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def kubeconfig(url: str, folder: Path, namespace: str) -> Path:
    """A kubeconfig for a server that asks for nothing, in a namespace."""
    cluster = {"name": "here", "cluster": {"server": url}}
    context = {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": namespace}}
    document = {"current-context": "here", "clusters": [cluster], "contexts": [context]}
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document | {"users": [{"name": "me", "user": {}}]}))
    return path


@dataclass(frozen=True)
class Spared:
    """What reading a kubeconfig takes and a pod's account does not; the limits are those of a pod."""

    memory: float
    """MB."""
    seconds: float


async def spared() -> Spared:
    """As it is on this machine."""
    (ours, our_seconds), (pods, pods_seconds) = await _imported("kube_config"), await _imported("incluster_config")
    return Spared(ours - pods, our_seconds - pods_seconds)


async def _imported(module: str) -> tuple[float, float]:
    """MB of a process that has imported what the operator imports, and seconds that this last import took."""
    program = IMPORTED.format(module=module)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    pages, seconds = said.split()
    return int(pages) * PAGE, float(seconds)
