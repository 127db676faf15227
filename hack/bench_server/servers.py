"""Each side as processes of this machine: how it is started, when it is ready, and which process is its front end."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hack.bench_server.processes import family, program, tree_cpu
from hack.bench_server.rows import Side
from hack.demo.machine import ROOT

KEY = "bench-key-for-nobody"
NAME = "qwen3"
NULL = "tests.server_engine.null_executor.NullExecutor"
READY_SECONDS = 240.0
LOOK_SECONDS = 0.02
PARSERS = ("--reasoning-parser", "qwen3", "--enable-auto-tool-choice", "--tool-call-parser", "hermes")


class BenchError(Exception):
    """The comparison cannot be made; one sentence."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The engine's Python, a folder for this run, the model, and what else the processes are told."""

    python: Path
    folder: Path
    model: Path
    context: int
    null: bool = True
    device: str = "cpu"
    rust: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    """Flags that both sides have under the same name."""


@dataclass(frozen=True)
class Server:
    """A started server."""

    pid: int
    port: int
    management: int
    front: int
    """The process that speaks HTTP."""
    seconds: float
    """From its start until it was ready."""
    cpu: float
    """Seconds of CPU of all its processes until then."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def ours(ground: Ground, side: Side, port: int, management: int) -> list[str]:
    """Our command line."""
    module = ["hack.bench_server.ours"] if ground.null else ["qwen_server"]
    alone = ["--every-token-alone"] if side is Side.OURS_ALONE else []
    keys = ground.folder / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "bench").write_text(KEY)
    words = {
        "--model": ground.model,
        "--served-model-name": NAME,
        "--max-model-len": ground.context,
        "--device": ground.device,
        "--keys": keys,
        "--host": "127.0.0.1",
        "--port": port,
        "--management-port": management,
        "--endpoint-delay": 0,
        "--termination-log": ground.folder / "termination-log",
    }
    given = [str(word) for pair in words.items() for word in pair]
    return [str(ground.python), "-m", *module, *alone, *given, *ground.options]


def theirs(ground: Ground, side: Side, port: int) -> list[str]:
    """vLLM's, with what our flags say; eager on a CPU is our default, and would cost vLLM a compilation otherwise."""
    options = ["--served-model-name", NAME, "--max-model-len", str(ground.context), "--api-key", KEY]
    more = ["--distributed-executor-backend", NULL] if ground.null else []
    more += ["--enforce-eager"] if ground.device == "cpu" else []
    more += PARSERS if side is Side.VLLM_PARSERS else ()
    where = ["--host", "127.0.0.1", "--port", str(port), *ground.options]
    return [str(ground.python), "-m", "hack.bench_server.stock", "serve", str(ground.model), *options, *more, *where]


def environment(ground: Ground, side: Side) -> dict[str, str]:
    """The environment of either side: nothing is reported, nothing is looked up."""
    offline = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    rust = {"VLLM_USE_RUST_FRONTEND": "1", "VLLM_RUST_FRONTEND_PATH": str(ground.rust)} if side is Side.RUST else {}
    return {**os.environ, **offline, **rust, **ground.variables}


async def is_ready(port: int, path: str) -> bool:
    """Whether a plain GET is answered with 200."""
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            line = await reader.readline()
            writer.close()
            return b" 200 " in line
    return False


def last_line(log: Path) -> str:
    """The last thing that a server said."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."


async def until_ready(process: asyncio.subprocess.Process, log: Path, port: int, path: str) -> None:
    """Wait. Raises BenchError when it ends first or takes too long."""
    began = time.monotonic()
    while not await is_ready(port, path):
        if process.returncode is not None or time.monotonic() - began > READY_SECONDS:
            raise BenchError(f"{log.stem} did not start: {last_line(log)}")
        await asyncio.sleep(LOOK_SECONDS)


def front_process(pid: int, side: Side) -> int:
    """The process that speaks HTTP: the first one, but for the Rust front end, which the first one starts."""
    if side is not Side.RUST:
        return pid
    return next(each for each in family(pid) if program(each).startswith("vllm-rs"))


@contextlib.asynccontextmanager
async def serving(ground: Ground, side: Side) -> AsyncIterator[Server]:
    """A ready server, ended behind. Raises BenchError."""
    port, management = free_port(), free_port()
    mine = side in (Side.OURS, Side.OURS_ALONE, Side.OURS_PARSERS)
    command: Sequence[str] = ours(ground, side, port, management) if mine else theirs(ground, side, port)
    log = ground.folder / f"{side}.log".replace(" ", "-")
    with log.open("wb") as output:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment(ground, side), stdout=output, stderr=output, start_new_session=True
        )
        try:
            await until_ready(process, log, management if mine else port, "/readyz" if mine else "/health")
            seconds, front = time.monotonic() - began, front_process(process.pid, side)
            yield Server(process.pid, port, management, front, seconds, tree_cpu(process.pid))
        finally:
            await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """End a server and everything that it has started."""
    if process.returncode is not None:
        return
    below = family(process.pid)
    process.terminate()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(process.wait(), 10)
    for pid in below:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await process.wait()
