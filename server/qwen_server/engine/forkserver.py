"""Engine processes out of a fork server that has imported vLLM already, beside the front end's own imports.

vLLM spawns its engine core and its workers, and each imports the same modules again, 7 s each on two cores. The
place where it asks for a way to start processes, `get_mp_context`, is not a public interface: this is used for tested
versions only, tried out with a child that does nothing, and left alone when anything about it is not as expected.
The fork server must never touch CUDA: a forked process could not use it any more.
"""

import contextlib
import importlib
import os
import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import context, forkserver, parent_process, resource_tracker
from pathlib import Path

from qwen_server.engine import progress
from qwen_server.engine.cpu_threads import bind_threads
from qwen_server.settings import Device

SEAM = "get_mp_context"
SEAM_MODULES = ("vllm.v1.engine.utils", "vllm.v1.engine.coordinator", "vllm.v1.executor.multiproc_executor")
COMMON = ("vllm.v1.engine.core", "vllm.v1.executor.multiproc_executor")
PRELOADED: Mapping[Device, Sequence[str]] = {
    # The worker's modules compile kernels for whatever they find; on a GPU they are imported by the worker itself.
    Device.GPU: COMMON,
    Device.CPU: (
        *COMMON,
        "vllm.v1.worker.cpu_worker",
        "vllm.v1.worker.cpu_model_runner",
        "vllm.v1.worker.cpu.model_runner",
        "vllm.v1.structured_output",
        "vllm.model_executor.model_loader.default_loader",
    ),
}
MODEL_MODULES = {
    "Qwen3ForCausalLM": "qwen3",
    "Qwen3MoeForCausalLM": "qwen3_moe",
    "Qwen3NextForCausalLM": "qwen3_next",
    "LlamaForCausalLM": "llama",
}
"""Where vLLM keeps the architectures we expect most; others are imported when they are needed."""
STOPPERS = (signal.SIGINT, signal.SIGTERM)
PROBE_SECONDS = 120.0
ORPHAN_SECONDS = 5.0
CUDA_DEVICE = "/dev/nvidia-uvm"
"""Opened by the first call into CUDA, and by nothing else."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a child gets from the process that asks for it; its own parent is the fork server."""

    environment: Mapping[str, str]
    weights: Path | None


class EngineProcess(context.ForkServerProcess):
    """One of vLLM's processes."""

    weights: Path | None = None
    handover: Handover

    def start(self) -> None:
        """Send the environment along: the fork server's is as old as the fork server."""
        self.handover = Handover(dict(os.environ), type(self).weights)
        super().start()

    def run(self) -> None:
        """Become an engine process, then do what vLLM asked for."""
        enter(self.handover)
        super().run()


class EngineContext(context.ForkServerContext):
    """multiprocessing's fork server context with our processes."""

    Process = EngineProcess


@contextlib.contextmanager
def blocked(*signals: signal.Signals) -> Generator[None, None, None]:
    """Keep signals from this thread, and from any process that it starts meanwhile (the mask is inherited)."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(slots=True)
class ForkServer:
    """The fork server of one start."""

    context: EngineContext = field(default_factory=EngineContext)

    def start(self, device: Device, architectures: Sequence[str]) -> None:
        """Start it; it imports while this process goes on."""
        models = [
            f"vllm.model_executor.models.{MODEL_MODULES[name]}" for name in architectures if name in MODEL_MODULES
        ]
        self.context.set_forkserver_preload([*PRELOADED[device], *(models if device is Device.CPU else ())])
        resource_tracker.ensure_running()  # it unblocks the very signals that are to be blocked
        with blocked(*STOPPERS):  # a signal for the whole process group must not take the engine from under a drain
            forkserver.ensure_running()

    def objection(self) -> str | None:
        """Why it cannot be used, found out with a child that does nothing; None if it can."""
        unexpected = [name for name in SEAM_MODULES if not callable(getattr(importlib.import_module(name), SEAM, None))]
        if unexpected:
            return f"{unexpected[0]} has no {SEAM}"
        child = EngineProcess(target=refuse_cuda, name="probe")
        try:
            child.start()
            child.join(PROBE_SECONDS)
        except (OSError, EOFError, RuntimeError) as error:
            return f"a child could not be started ({type(error).__name__})"
        return None if child.exitcode == 0 else f"a child ended with status {child.exitcode}"

    def install(self, weights: Path | None) -> None:
        """Let vLLM take its processes from here."""
        EngineProcess.weights = weights
        install(self.context)


def abandon() -> None:
    """End the fork server of a start that is given up; by itself it would first finish its imports."""
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)  # noqa: SLF001
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def install(engine_context: EngineContext) -> None:
    """Put the context where vLLM's modules look for theirs."""
    for name in SEAM_MODULES:
        setattr(importlib.import_module(name), SEAM, lambda: engine_context)


def refuse_cuda() -> None:
    """End with status 1 if the fork server has touched CUDA: its open files are this child's too."""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if entry.readlink().as_posix() == CUDA_DEVICE:
                raise SystemExit(1)


def enter(handover: Handover) -> None:
    """Make a fresh fork of the server a process of the engine."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPERS)
    with contextlib.suppress(PermissionError):
        os.setsid()  # signals for the front end's group (Ctrl-C) are the front end's business
    os.environ.clear()
    os.environ.update(handover.environment)
    # A child would start a fork server of its own, because only the first process knows the pid of the first one.
    forkserver._forkserver.ensure_running = resource_tracker.ensure_running  # type: ignore[method-assign]  # noqa: SLF001
    threading.Thread(target=follow_parent, name="follow-parent", daemon=True).start()
    bind_threads(handover.environment)
    EngineProcess.weights = handover.weights
    install(EngineContext())
    if handover.weights is not None:
        progress.count_loads(handover.weights)


def follow_parent() -> None:
    """End with the process that asked for this one, even if that was killed: nobody else would."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(ORPHAN_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)
