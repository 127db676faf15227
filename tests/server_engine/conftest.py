"""One engine a module: a start takes seconds. Everything runs in that module's one event loop."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from qwen_server.engine.base import Delta, ModelFacts, Sampling
from qwen_server.engine.vllm import VllmEngine
from qwen_server.settings import Device, EngineSettings

if find_spec("vllm") is None:  # the environment of the other rings; this one has .venv-engine
    collect_ignore_glob = ["test_*.py"]

THIRD_PARTY = "(torch|vllm|transformers|multiprocessing)"
"""Their warnings while they are imported are not ours; ours stay errors."""
QUEUES = ("vllm:num_requests_running", "vllm:num_requests_waiting")
SOON = 5.0
"""Seconds in which even a loaded machine does what takes it milliseconds."""
SMOLLM2 = Path.home() / ".cache/qwen-operator/models/smollm2-135m-instruct"
"""The folder that `python -m hack.weights` fills."""
NULL = "tests.server_engine.null_executor.NullExecutor"


@dataclass(frozen=True)
class Loaded:
    """An engine that has started, with what it said of its model."""

    engine: VllmEngine
    facts: ModelFacts
    registry: CollectorRegistry


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hack.weights.tiny import Kind, make

    return make(tmp_path_factory.mktemp("models") / "tiny", Kind.DENSE)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.filterwarnings(f"ignore:::{THIRD_PARTY}"))
            item.add_marker(pytest.mark.filterwarnings("ignore:Unclosed context:ResourceWarning"))


def null_engine(model: Path, context: int = 512) -> AbstractAsyncContextManager[Loaded]:
    """AsyncLLM as in production, but for the executor."""
    settings = EngineSettings(model=model, served_model_name="tiny", device=Device.CPU, max_model_len=context)
    return started(settings, {"distributed_executor_backend": NULL})


@asynccontextmanager
async def started(settings: EngineSettings, more: Mapping[str, Any] | None = None) -> AsyncIterator[Loaded]:
    """An engine from its start to its end."""
    registry = CollectorRegistry()
    engine = VllmEngine(settings, registry, more=more)
    try:
        yield Loaded(engine, await engine.start(), registry)
    finally:
        await engine.close(5.0)
        gc.collect()  # vLLM leaves its sockets' context to the collector, which must not meet another test


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loaded(tiny_model: Path) -> AsyncIterator[Loaded]:
    async with null_engine(tiny_model) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def engine(loaded: Loaded) -> AsyncIterator[VllmEngine]:
    yield loaded.engine
    await scheduled(loaded, 0)  # or a test has left requests in the engine


def script(text: str, *, again: bool = False, pause: float = 0.0) -> dict[str, object]:
    """An executor's script that spells the text, a token a character."""
    from hack.weights.tiny import vocabulary

    letters = vocabulary()
    spelled = {" ": "\u0120", "\n": "\u010a"}  # the alphabet of byte-level tokens
    return {"script": [letters[spelled.get(each, each)] for each in text], "again": again, "pause": pause}


async def deltas(engine: VllmEngine, sampling: Sampling, *, stream: bool = True, name: str = "r") -> list[Delta]:
    """Every delta of one request."""
    prompt = await engine.render_text("Say it")
    return [each async for batch in engine.generate(prompt, sampling, name, stream=stream) for each in batch]


def in_scheduler(loaded: Loaded) -> int:
    """Requests in the core's own scheduler, as its statistics have them: the front end forgets them earlier."""
    samples = [sample for metric in loaded.registry.collect() if metric.name in QUEUES for sample in metric.samples]
    assert samples
    return int(sum(sample.value for sample in samples))


async def scheduled(loaded: Loaded, requests: int) -> None:
    """Wait until the scheduler has so many requests."""
    async with asyncio.timeout(SOON):
        while in_scheduler(loaded) != requests:  # noqa: ASYNC110 - the scheduler tells nobody
            await asyncio.sleep(0.01)


async def in_engine(engine: VllmEngine, requests: int) -> None:
    """Wait until the engine has so many requests."""
    async with asyncio.timeout(10):
        while engine.running + engine.waiting < requests:  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.001)


def text_of(found: Sequence[Delta], index: int = 0) -> str:
    """One choice's text."""
    return "".join(each.text for each in found if each.index == index)


def reasons(found: Sequence[Delta]) -> dict[int, str]:
    """Each choice's reason to end."""
    return {each.index: each.finish_reason for each in found if each.finish_reason is not None}
