"""`kubectl-qwen` as a program of its own, with a kubeconfig, as kubectl runs it."""

import asyncio
import json
import os
import sys
from typing import Any, NamedTuple

from tests.operator_api.server import Server


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def environment(server: Server, **more: str) -> dict[str, str]:
    """Variables of a shell that knows the server."""
    return {**os.environ, "KUBECONFIG": str(server.kubeconfig), "COLUMNS": "120", **more}


def command_line(server: Server, *arguments: str, bare: bool = False) -> list[str]:
    """A run, in the server's namespace unless it is bare of such a flag."""
    where = () if bare else ("-n", server.namespace)
    return [sys.executable, "-m", "qwen_operator.cli", *arguments, *where]


async def start(server: Server, *arguments: str, bare: bool = False, **more: str) -> asyncio.subprocess.Process:
    """A run that goes on, in the server's namespace unless it is bare of such a flag."""
    return await asyncio.create_subprocess_exec(
        *command_line(server, *arguments, bare=bare),
        env=environment(server, **more),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def kubectl_qwen(server: Server, *arguments: str, stdin: str = "", bare: bool = False, **more: str) -> Ended:
    """A whole run, in the server's namespace."""
    process = await start(server, *arguments, bare=bare, **more)
    async with asyncio.timeout(60):
        out, err = await process.communicate(stdin.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())
