"""One run of the operator: its parts started in order, and ended in order.

Why it exists: the process is crash-only. Nothing that matters is in memory, so whatever fails for good ends the run,
and a new one starts from the API server's truth. It must never decide anything about a model.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

from qwen_operator import credentials, handlers, observe
from qwen_operator.core import kinds
from qwen_operator.core.settings import Settings
from qwen_operator.observe import LoopLag
from qwen_operator.parts import Parts, assembled
from qwen_operator.refusals import Broken, Busy, Forbidden, NotFound, Refusal, Unreachable

CLEAN_STOP_SECONDS = 5.0
"""Time for running reconciles to end after SIGTERM; a pod has 30 s altogether."""
PREFLIGHT_PAUSE = 5.0
"""Seconds between two looks for an API server that does not answer at the start."""
LOOKOUT_PAUSE = 60.0
"""Seconds between two looks for a namespace that we may not see."""

log = logging.getLogger(__name__)


class CannotStart(Exception):  # noqa: N818  (a sentence for the person who starts the operator)
    """Something is missing that no waiting brings."""


SENTENCES = (CannotStart, credentials.NoCredentials)
"""What a person can mend; the message is for them."""


async def operate(settings: Settings, *, kubeconfig: Path | None, identity: str, metrics_port: int) -> None:
    """Run until SIGTERM or SIGINT.

    :param kubeconfig: None means the pod's service account.
    :param identity: who holds the Lease: a name that no other running process has.
    :param metrics_port: of /livez, /readyz and /metrics.
    :raises CannotStart, NoCredentials: a sentence for the person who starts it.
    :raises Exception: whatever ended the run; start it anew.
    """
    parts = assembled(settings, await credentials.find(kubeconfig), identity)
    async with contextlib.AsyncExitStack() as open_things:
        open_things.push_async_callback(parts.transport.close)
        try:
            probes = await observe.serve(metrics_port, parts.metrics, parts.alive, parts.ready)
        except OSError as error:
            raise CannotStart(
                f"Port {metrics_port} cannot be opened ({error.strerror}): choose another with --metrics-port."
            ) from error
        open_things.push_async_callback(probes.cleanup)
        async with _beating(parts.lag):
            seen = await preflight(parts)
            ours = handlers.registry(parts.caches.models, parts.transport.server, parts.transport.session)
            await run(parts, handlers.watch_models(ours, seen))


@contextlib.asynccontextmanager
async def _beating(lag: LoopLag) -> AsyncIterator[None]:
    """The loop's beat, from before the first request on: whoever waits for an API server is alive."""
    beat = asyncio.create_task(lag.run(), name="lag")
    try:
        yield
    finally:
        beat.cancel()


async def preflight(parts: Parts) -> tuple[str, ...]:
    """Wait until the API server answers, and return the namespaces whose QwenModels can be listed; none means all.

    A namespace that we may not see, because it was deleted with its Role for instance, costs the others nothing: it is
    left out, and kept in `parts.out_of_sight`.

    :raises CannotStart: the kind is not installed, or we may see it nowhere.
    """
    parts.out_of_sight.clear()
    seen = [namespace for namespace in parts.namespaces if await _is_in_sight(parts, namespace)]
    return tuple(namespace for namespace in seen if namespace is not None)


async def _is_in_sight(parts: Parts, namespace: str | None) -> bool:
    while True:
        try:
            await parts.cluster.list_page(kinds.QWEN_MODEL, namespace, limit=1)
        except (Unreachable, Broken, Busy) as refusal:
            log.warning("waiting for the API server: %s", refusal)
            await asyncio.sleep(PREFLIGHT_PAUSE)
        except Forbidden as refusal:
            if namespace is None or len(parts.out_of_sight) + 1 == len(parts.namespaces):
                raise CannotStart(_why_not(refusal)) from refusal
            parts.out_of_sight.add(namespace)
            log.warning("namespace %s is not served until we may list its QwenModels: %s", namespace, refusal)
            return False
        except Refusal as refusal:
            raise CannotStart(_why_not(refusal)) from refusal
        else:
            return True


async def run(parts: Parts, watching: Coroutine[Any, Any, None]) -> None:
    """Start every loop, wait for the first that ends, and end the others.

    :param watching: feeds `parts.caches.models`, and ends when the operator is to end.
    """
    parts.start.mark()
    queue = asyncio.create_task(parts.queue.run(parts.settings.workers), name="queue")
    opening = asyncio.create_task(_open(parts), name="opening")
    loops = [asyncio.create_task(loop, name=name) for name, loop in _loops(parts)]
    # It comes last: at its end, kopf cancels whatever tasks were started after it.
    loops.append(asyncio.create_task(watching, name="watch of models"))
    try:
        await _first_end({queue, *loops})
    finally:
        await _stop(parts, queue, [opening, *loops])


def _loops(parts: Parts) -> Iterator[tuple[str, Any]]:
    yield "lease", parts.lease.run()
    yield "resync", _resync(parts)
    yield "inquiry", parts.inquiry.run()
    if parts.nodes:
        yield "nodes", parts.nodes.run()
    if parts.out_of_sight:
        yield "lookout", _look_out(parts)
    for informer in parts.informers:
        yield f"informer of {informer.title}", informer.run()


async def _open(parts: Parts) -> None:
    """Let the workers begin once every cache has listed and the Lease is ours."""
    for informer in parts.informers:
        await informer.settled.wait()
    if parts.nodes:
        await parts.nodes.asked.wait()
    log.info("every cache has listed once")
    await parts.lease.acquired.wait()
    parts.queue.open()


async def _resync(parts: Parts) -> None:
    """Look at everything again from time to time, and for deletions of models that kopf missed."""
    while True:
        await asyncio.sleep(parts.settings.resync_seconds * random.uniform(0.8, 1.2))  # noqa: S311  (spreads load)
        for namespace in parts.namespaces:
            with contextlib.suppress(Refusal):  # the next time will do
                async with contextlib.aclosing(parts.cluster.pages(kinds.QWEN_MODEL, namespace)) as pages:
                    await parts.caches.models.replace(pages, namespace=namespace)
        parts.caches.wake_all()


async def _look_out(parts: Parts) -> None:
    """End when a namespace that was out of sight can be seen: a new run serves it too."""
    while True:
        await asyncio.sleep(LOOKOUT_PAUSE)
        for namespace in sorted(parts.out_of_sight):
            with contextlib.suppress(Refusal):
                await parts.cluster.list_page(kinds.QWEN_MODEL, namespace, limit=1)
                log.info("namespace %s can be served now; starting anew", namespace)
                return


async def _first_end(tasks: set[asyncio.Task[None]]) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _stop(parts: Parts, queue: asyncio.Task[None], others: list[asyncio.Task[None]]) -> None:
    """Let running reconciles end, end everything else, and only then give the Lease away."""
    parts.queue.close()
    await asyncio.wait({queue}, timeout=CLEAN_STOP_SECONDS)
    for task in (queue, *others):
        task.cancel()
    await asyncio.gather(queue, *others, return_exceptions=True)
    await parts.lease.release()


def _why_not(refusal: Refusal) -> str:
    if isinstance(refusal, NotFound):
        return (
            "The API server knows no QwenModels. Install the CustomResourceDefinition first: "
            "`helm install` of the chart does, or `qwen-operator crd | kubectl apply --server-side -f -`."
        )
    return f"QwenModels cannot be listed: {refusal}. Check the operator's credentials and its Role."
