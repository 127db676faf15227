"""Probes and metrics: what makes liveness fail, and what is in the exposition."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import pytest

from qwen_operator import liveness, observe, series
from qwen_operator.cache import Cache
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.hearing import Hearing
from qwen_operator.informer import Informer
from qwen_operator.keys import Key
from qwen_operator.observe import LoopLag, Metrics, first_complaint
from qwen_operator.workqueue import WorkQueue


def an_informer() -> Informer:
    """An informer that never ran, so that it heard nothing since it was made."""
    nothing: Cluster = object()  # type: ignore[assignment]
    return Informer(nothing, kinds.POD, "team", Cache(lambda *_: None))


async def nobody(_: Key) -> None:
    """An attempt that does nothing."""


def verdict(
    queue: WorkQueue,
    *,
    watched: bool = True,
    informers: tuple[Informer, ...] = (),
    started: bool = True,
    hearing: Hearing | None = None,
) -> Callable[[], str | None]:
    """What liveness says, asked later."""
    start = liveness.Start()
    if started:
        start.mark()
    complaints = liveness.alive(start, informers, queue, LoopLag(), lambda: watched, (hearing or Hearing()).silence)
    return lambda: first_complaint(complaint for complaint in complaints if "loop" not in (complaint() or ""))


@pytest.mark.looptime
async def test_silence_on_one_watch_ends_liveness() -> None:
    """Not one bookmark in this time: the watch is dead, whatever it looks like."""
    says = verdict(WorkQueue(nobody), informers=(an_informer(),))
    await asyncio.sleep(liveness.SILENCE_LIMIT)
    assert says() is None
    await asyncio.sleep(1)
    assert says() == "nothing was heard of pods in team for 111 s"


@dataclass
class Stream:
    """An answer of which something comes from time to time."""

    total_bytes: int = 0


@pytest.mark.looptime
async def test_silence_on_the_watch_of_models_ends_liveness() -> None:
    """kopf shows no bookmarks, but the bytes are counted on their way; a watch that is begun anew counts as heard."""
    hearing, stream = Hearing(), Stream()
    hearing.listen("/apis/x", stream)
    says = verdict(WorkQueue(nobody), hearing=hearing)
    for _ in range(5):
        await asyncio.sleep(60)
        stream.total_bytes += 1
        assert says() is None
    await asyncio.sleep(liveness.SILENCE_LIMIT + 1)
    assert says() == "nothing was heard of qwenmodels for 111 s"
    hearing.listen("/apis/x", Stream())
    assert says() is None


@pytest.mark.looptime
async def test_the_quietest_of_several_watches_counts() -> None:
    """One a namespace."""
    hearing, lively = Hearing(), Stream()
    hearing.listen("/a", lively)
    hearing.listen("/b", Stream())
    await asyncio.sleep(100)
    lively.total_bytes += 1
    assert hearing.silence() == 100


@pytest.mark.looptime
async def test_without_a_watch_of_models_liveness_fails_after_the_grace() -> None:
    """kopf's own probe would not notice."""
    says = verdict(WorkQueue(nobody), watched=False)
    assert says() is None
    await asyncio.sleep(liveness.GRACE)
    assert says() == "no task watches QwenModels"


@pytest.mark.looptime
async def test_an_operator_that_waits_for_its_api_server_is_alive() -> None:
    """Restarting it would not bring the server back, only make it wait longer and longer between two looks."""
    says = verdict(WorkQueue(nobody), watched=False, informers=(an_informer(),), started=False)
    await asyncio.sleep(3600)
    assert says() is None


@pytest.mark.looptime
async def test_a_model_that_nobody_serves_ends_liveness_but_a_standby_is_well() -> None:
    """Only an open queue must move."""
    queue = WorkQueue(nobody)
    queue.add(Key("team", "a"))
    says = verdict(queue)
    await asyncio.sleep(liveness.WAIT_LIMIT + 1)
    assert says() is None
    queue.open()
    assert says() == "a model has waited for 601 s"


@pytest.mark.looptime
async def test_a_late_loop_is_a_complaint() -> None:
    """Nobody beat for a while."""
    lag = LoopLag()
    assert lag.complaint() is None
    await asyncio.sleep(12)
    assert lag.complaint() == "the event loop is 11 s late"


async def test_the_probes_answer_with_the_complaint() -> None:
    """200 and ok, or 503 and the sentence; metrics are text."""
    metrics = Metrics()
    metrics.gauge(series.MODELS, lambda: 3)
    runner = await observe.serve(0, metrics, [lambda: None], [lambda: None, lambda: "pods are not listed yet"])
    port = next(address[1] for address in runner.addresses if len(address) == 2)  # IPv6 addresses have four parts
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/livez") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        async with session.get("/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "pods are not listed yet\n")
        async with session.get("/metrics") as answer:
            assert "qwen_operator_models 3.0" in await answer.text()
    await runner.cleanup()
