"""Our server's own program, on the engine without a model; nothing else about it differs from production.

With `--every-token-alone` no stream counts as one of many, so that a chunk is compared with a chunk.
"""

import sys

from prometheus_client import CollectorRegistry

from qwen_server import __main__ as program
from qwen_server.engine.gathering import EACH_UP_TO
from qwen_server.engine.vllm import VllmEngine
from qwen_server.journal import Journal
from qwen_server.settings import Settings

NULL = "tests.server_engine.null_executor.NullExecutor"
ALONE = "--every-token-alone"
each_up_to = EACH_UP_TO


def null_engine(settings: Settings, registry: CollectorRegistry, journal: Journal) -> VllmEngine:
    """vLLM's engine with the executor that has no model."""
    more = {"distributed_executor_backend": NULL}
    return VllmEngine(settings.engine_settings, registry, journal=journal, more=more, each_up_to=each_up_to)


if __name__ == "__main__":
    if ALONE in sys.argv:
        sys.argv.remove(ALONE)
        each_up_to = 1 << 30
    program.chosen_engine = null_engine  # type: ignore[attr-defined]  # a name that it imports
    program.main()
