"""What vLLM and the libraries below it read from the environment, set before the first of them is imported.

Privacy comes first: no usage statistics, no telemetry, no look at a model hub, log records without their values.
It must never import vLLM or torch.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from qwen_server.settings import Device

PRIVACY: Mapping[str, str] = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",  # the model is a folder; nothing is ever looked up
    "PYTHONWARNINGS": "ignore",  # of the engine's processes: a warning's text is written out, whatever it holds
    "TOKENIZERS_PARALLELISM": "false",  # one prompt a thread; its own pool does not survive a fork
}
OPENMP: Mapping[str, str] = {
    "KMP_BLOCKTIME": "5",  # milliseconds of spinning after a parallel region; vLLM's own value for its workers
    "KMP_TPAUSE": "0",
}
PRIMED_CACHE = "QWEN_PRIMED_CACHE"
"""Names the folder of an image that holds what vLLM would find out about its model classes in 8 to 10 s."""
FAILURES = "failures.jsonl"
LOGGING = "logging.json"
WEIGHTS = "weights.count"


def logging_config(failures: Path) -> dict[str, object]:
    """vLLM's log records for `logging.config.dictConfig`: to the journal without values, errors to `failures`."""
    handlers = {
        "failures": {"()": "qwen_server.engine.failure.FailureHandler", "path": str(failures)},
        "journal": {"()": "qwen_server.engine.failure.journal_handler"},
    }
    vllm = {"handlers": list(handlers), "level": "WARNING", "propagate": False}
    return {"version": 1, "disable_existing_loggers": False, "handlers": handlers, "loggers": {"vllm": vllm}}


def preloaded_libraries(given: str) -> str:
    """LD_PRELOAD for the engine's processes on a CPU: torch's own OpenMP, unless one is preloaded already.

    vLLM does the same for the processes it spawns (platforms/cpu.py): without it a bound thread pool uses one core.
    """
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None or any(name in given for name in ("libgomp", "libiomp", "libomp")):
        return given
    folder = Path(torch.origin).parent
    found = sorted([*(folder.parent / "torch.libs").glob("libgomp*.so*"), *(folder / "lib").glob("libgomp*.so*")])
    return ":".join([part for part in (given, *map(str, found[:1])) if part])


def copy_primed_cache(environment: Mapping[str, str]) -> None:
    """Put what the image knows already where vLLM looks for it. A stale entry is recognised by vLLM and ignored."""
    source = environment.get(PRIMED_CACHE, "")
    if source and Path(source).is_dir():
        home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache"
        target = environment.get("VLLM_CACHE_ROOT") or Path(home) / "vllm"
        with contextlib.suppress(OSError):  # it only saves seconds: vLLM finds out by itself what can't be copied
            shutil.copytree(source, target, dirs_exist_ok=True)


def prepare(device: Device) -> Path:
    """Set the environment, and return a folder of this start's own for what its processes tell each other."""
    folder = Path(tempfile.mkdtemp(prefix="qwen-engine-"))
    (folder / FAILURES).touch(mode=0o600)
    (folder / LOGGING).write_text(json.dumps(logging_config(folder / FAILURES)))
    os.environ.update(PRIVACY)
    if device is Device.CPU:
        os.environ.update({name: value for name, value in OPENMP.items() if name not in os.environ})
        os.environ["LD_PRELOAD"] = preloaded_libraries(os.environ.get("LD_PRELOAD", ""))
    else:
        # vLLM would fork this process, which has threads and an event loop by now.
        os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "spawn"
    copy_primed_cache(os.environ)
    return folder
