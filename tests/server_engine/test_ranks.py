"""Two data-parallel ranks in one server: each takes requests, and nothing is lost between them.

Of a dense model: vLLM's ranks of a model of experts exchange tokens in a way that it has on GPUs alone.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from qwen_server.engine.base import Sampling
from qwen_server.settings import Device, Dtype, EngineSettings
from tests.server_engine.conftest import Loaded, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

REQUESTS = 20
"""More than the streams that get each token alone, so that tokens of both ranks are gathered."""
TOKENS = 40
GENERATED = "vllm:generation_tokens_total"
WAITING = "vllm:num_requests_waiting"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ranks(tiny_model: Path) -> AsyncIterator[Loaded]:
    """Each rank works on one request at a time, so that there is a queue."""
    settings = EngineSettings(
        model=tiny_model,
        served_model_name="tiny",
        device=Device.CPU,
        dtype=Dtype.FLOAT32,
        max_model_len=256,
        max_num_seqs=1,
        data_parallel_size=2,
    )
    async with started(settings) as one:
        yield one


def by_rank(loaded: Loaded, name: str) -> dict[str, float]:
    """One series of each rank."""
    families = text_string_to_metric_families(generate_latest(loaded.registry).decode())
    return {
        sample.labels["engine"]: sample.value for family in families for sample in family.samples if sample.name == name
    }


async def answer(loaded: Loaded, seed: int) -> tuple[str, int]:
    """The text of one greedy stream, and of how many tokens it is."""
    prompt = await loaded.engine.render_text([1, 2, seed])
    sampling = Sampling(max_tokens=TOKENS, temperature=0.0, ignore_eos=True)
    stream = loaded.engine.generate(prompt, sampling, f"request-{seed}", stream=True)
    deltas = [delta async for found in stream for delta in found]
    return "".join(delta.text for delta in deltas), sum(delta.tokens for delta in deltas)


async def test_both_ranks_answer_and_every_token_comes(ranks: Loaded) -> None:
    """Gathered ones too, each behind those of its own stream."""
    before = by_rank(ranks, GENERATED)

    together = await asyncio.gather(*(answer(ranks, seed) for seed in range(REQUESTS)))

    made = {rank: count - before[rank] for rank, count in by_rank(ranks, GENERATED).items()}
    assert made.keys() == {"0", "1"}
    assert all(made.values())
    assert sum(made.values()) == REQUESTS * TOKENS
    assert {tokens for _, tokens in together} == {TOKENS}
    assert together[3] == await answer(ranks, 3)


async def test_the_queue_is_that_of_both_ranks(ranks: Loaded) -> None:
    """And a ping asks both, whatever they are at."""
    asked = asyncio.gather(*(answer(ranks, seed) for seed in range(REQUESTS)))

    async with asyncio.timeout(30):
        while not all(by_rank(ranks, WAITING).values()):  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0.005)
    assert ranks.engine.waiting == sum(by_rank(ranks, WAITING).values())

    await ranks.engine.ping()
    await asked
    assert (ranks.engine.running, ranks.engine.waiting) == (0, 0)
