"""The runs: every side takes its turn in every round, so that whatever else the machine does falls on all of them."""

import asyncio
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from hack.bench_server.load import Reply, ask, load, request
from hack.bench_server.processes import cpu
from hack.bench_server.rows import FEW, LONG, MANY, SOME, START, WHOLE, Figure, Measured, Side, What
from hack.bench_server.servers import KEY, NAME, Ground, Server, is_ready, serving

TOKENS = 200
"""Of each answer."""
LONG_TOKENS = 135_000
SETTLE_SECONDS = 0.2
"""Behind a run, before its CPU is read."""
LIVEZ_SECONDS = 0.01
"""Between two questions to /livez."""
WORDS = "one two three four five six seven eight nine ten "

Say = Callable[[str], None]
Found = defaultdict[Figure, list[float]]


@dataclass(frozen=True)
class Case:
    """A load: so many clients at once, so many requests in all, a step of the engine in seconds, streamed or not."""

    name: str
    sides: Sequence[Side]
    at_once: int
    requests: int
    step: float
    stream: bool = True


CASES = (
    Case(FEW, (Side.OURS,), 8, 16, 0.01),
    Case(SOME, (Side.VLLM, Side.OURS, Side.VLLM_PARSERS, Side.OURS_PARSERS), 32, 64, 0.01),
    Case(MANY, (Side.VLLM, Side.OURS, Side.OURS_ALONE, Side.RUST), 128, 256, 0.02),
    Case(WHOLE, (Side.VLLM, Side.OURS), 32, 64, 0.01, stream=False),
)


def body(words: str, *, stream: bool, tokens: int = TOKENS) -> dict[str, object]:
    """A conversation of one message."""
    message = {"role": "user", "content": words}
    asked = {"model": NAME, "messages": [message], "max_tokens": tokens, "ignore_eos": True, "temperature": 0}
    return {**asked, "stream": stream}


def requests(case: Case, key: str = KEY) -> list[bytes]:
    """All requests of a case; no two prompts are the same."""
    path = "/v1/chat/completions"
    words = [f"Count to ten, please; this is number {number}." for number in range(case.requests)]
    return [request(path, key, body(each, stream=case.stream)) for each in words]


def quantile(replies: Sequence[Reply], hundredths: int) -> float:
    """Milliseconds to the first token of so many in a hundred."""
    return 1000 * statistics.quantiles([each.first for each in replies], n=100, method="inclusive")[hundredths - 1]


def figures(case: Case, replies: Sequence[Reply], seconds: float, used: float) -> dict[What, float]:
    """What one run says."""
    tokens = TOKENS * len(replies)
    return {
        What.CPU: 1e6 * used / tokens,
        What.RATE: tokens / seconds,
        What.FIRST_P50: quantile(replies, 50),
        What.FIRST_P99: quantile(replies, 99),
        What.CHUNKS: sum(each.chunks for each in replies) / tokens if case.stream else 0.0,
    }


async def one_run(case: Case, server: Server) -> dict[What, float]:
    """One side's turn."""
    used, began = cpu(server.front), time.monotonic()
    replies = await load(server.port, requests(case), case.at_once)
    seconds = time.monotonic() - began
    await asyncio.sleep(SETTLE_SECONDS)
    return figures(case, replies, seconds, cpu(server.front) - used)


def set_step(ground: Ground, seconds: float) -> None:
    """How long the engine takes for a step from now on."""
    for kind in ("plain", "reasoning"):
        script = ground.model.parent / kind / "script.json"
        changed = json.loads(script.read_bytes()) | {"pause": seconds}
        new = script.with_suffix(".new")
        new.write_text(json.dumps(changed))
        new.replace(script)


async def round_of(case: Case, ground: Ground, servers: Mapping[Side, Server], found: Found | None) -> None:
    """Every side once; without `found` it only warms up."""
    set_step(ground, case.step)
    for side in case.sides:
        if side not in servers:
            continue
        said = await one_run(case, servers[side])
        for what, value in said.items() if found is not None else ():
            assert found is not None  # noqa: S101 - the line above
            found[Figure(case.name, side, what)].append(value)


async def loads(ground: Ground, runs: int, say: Say) -> Found:
    """All cases on all sides, which are up at the same time."""
    found: Found = defaultdict(list)
    async with AsyncExitStack() as stack:
        servers: dict[Side, Server] = {}
        for side in Side:
            if side is not Side.RUST or ground.rust:
                say(f"starting {side}")
                servers[side] = await stack.enter_async_context(serving(of_side(ground, side), side))
        for number in range(runs + 1):
            say("warming up" if number == 0 else f"round {number} of {runs}")
            for case in CASES:
                await round_of(case, ground, servers, found if number else None)
        say("a long prompt")
        found[Figure(LONG, Side.OURS, What.LIVEZ)] += [await slowest_livez(servers[Side.OURS]) for _ in range(runs)]
    return found


def of_side(ground: Ground, side: Side) -> Ground:
    """The model of a side: one that reasons where parsers are on."""
    kind = "reasoning" if side in (Side.VLLM_PARSERS, Side.OURS_PARSERS) else "plain"
    model = ground.model.parent / kind
    script = {"NULL_ENGINE_SCRIPT": str(model / "script.json")}
    return replace(ground, model=model, variables={**ground.variables, **script})


async def slowest_livez(server: Server) -> float:
    """Milliseconds of the slowest answer to a probe while a prompt of 135,000 tokens is read."""
    words = WORDS * (LONG_TOKENS // 10)
    sent = request("/v1/chat/completions", KEY, body(words, stream=True, tokens=2))
    answer = asyncio.ensure_future(ask(server.port, sent))
    slowest = 0.0
    while not answer.done():
        began = time.monotonic()
        await is_ready(server.management, "/livez")
        slowest = max(slowest, 1000 * (time.monotonic() - began))
        await asyncio.sleep(LIVEZ_SECONDS)
    await answer
    return slowest


async def starts(grounds: Mapping[Side, Ground], runs: int, say: Say) -> Measured:
    """From nothing to ready, one after the other, each with caches of its own that nobody has filled."""
    found: Found = defaultdict(list)
    for number in range(1, runs + 1):
        say(f"start {number} of {runs}")
        for side, ground in grounds.items():
            cache = {"VLLM_CACHE_ROOT": str(ground.folder / f"cache-{side}-{number}")}
            fresh = replace(ground, variables={**ground.variables, **cache})
            async with serving(fresh, side) as server:
                found[Figure(START, side, What.READY)].append(server.seconds)
                found[Figure(START, side, What.READY_CPU)].append(server.cpu)
    return found
