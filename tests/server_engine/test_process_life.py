"""The whole process with vLLM: what requests leave behind, and how it ends when its engine dies or stands still."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_engine.process import EngineProcess, an_engine_process
from tests.server_unit.builders import AUTHORIZED, a_chat, a_completion, events
from tests.server_unit.canaries import CHAT as CANARY_CHAT
from tests.server_unit.canaries import COMPLETIONS as CANARY_TEXT
from tests.server_unit.canaries import KEY, PROMPT, TALKATIVE, TOOLS, sightings, told, written
from tests.server_unit.process import Burden, burden
from tests.server_unit.test_process import CHAT, client
from tests.server_unit.waiting import eventually, wait_until

COMPLETIONS = "/v1/completions"
ENDLESS: dict[str, object] = {"max_tokens": 7000, "ignore_eos": True}
STALL_SECONDS = 12


def of_schema(schema: object) -> dict[str, object]:
    """A format of an answer."""
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


@pytest.fixture(scope="module")
def living(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One process for this module's tests but the last."""
    with an_engine_process(tmp_path_factory.mktemp("living"), tiny_model, environment=TALKATIVE) as process:
        yield process


def test_the_progress_of_a_load_is_what_was_read(living: EngineProcess) -> None:
    """Bytes never go back, and in the end all of them are there; nothing is left then."""
    living.listening()
    seen: list[dict[str, Any]] = []

    def loaded() -> bool:
        seen.append(httpx.get(living.management + "/progress").json())
        return bool(seen[-1]["stage"] == "ready")

    wait_until(loaded, living.start_seconds)

    done = [each["bytes_done"] for each in seen]
    assert (done[0], done) == (0, sorted(done))
    assert seen[-1]["bytes_done"] == seen[-1]["bytes_total"] > 100_000
    assert [seen[0][name] for name in ("phase", "seconds_left", "last_error")] == ["starting", None, None]
    assert [seen[-1][name] for name in ("percent", "seconds_left", "last_error")] == [100.0, 0.0, None]


async def leaves(caller: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    """Ask for a long answer, read its beginning, and go."""
    async with caller.stream("POST", path, json=body | ENDLESS | {"stream": True}) as answer:
        await anext(answer.aiter_bytes())


async def busy(process: EngineProcess, asks: int, leavers: int) -> None:
    """So many requests to their end, and so many that are left."""
    room = asyncio.Semaphore(16)

    async def one(number: int) -> None:
        async with room:
            if number < leavers:
                await leaves(caller, *((CHAT, a_chat("x")) if number % 2 else (COMPLETIONS, a_completion("x"))))
            else:
                answer = await caller.post(COMPLETIONS, json=a_completion(["a", "b"], max_tokens=2, n=2))
                assert answer.status_code == 200

    async with client(process) as caller:
        await asyncio.gather(*(one(number) for number in range(asks + leavers)))


def in_engine(process: EngineProcess) -> dict[str, float]:
    """What vLLM's scheduler holds: requests that run or wait, and the share of the cache that they use."""
    names = ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc")
    lines = httpx.get(process.management + "/metrics").text.splitlines()
    return {name: float(line.split()[-1]) for name in names for line in lines if line.startswith(name + "{")}


def front_end(process: EngineProcess) -> tuple[int, int]:
    """Requests that vLLM's front end still has an output for, as the server itself tells."""
    told = httpx.get(process.url + "/health", headers=AUTHORIZED).json()
    return told["running"], told["waiting"]


async def test_requests_and_disconnects_leave_nothing_behind(living: EngineProcess) -> None:
    """Neither in vLLM's tables and cache nor in the process: its files, threads, processes and memory."""
    living.ready()
    await busy(living, 100, 20)
    before, family = settled(living), len(living.family())

    await busy(living, 300, 100)
    after = settled(living)
    await eventually(lambda: burden(living).files <= before.files, 30)  # a connection takes a moment to close

    assert set(in_engine(living).values()) == {0.0}
    assert front_end(living) == (0, 0)
    assert len(living.family()) == family
    assert after.threads - before.threads < 16  # pools that are bounded fill up
    assert after.kilobytes - before.kilobytes < 8_192


def settled(process: EngineProcess) -> Burden:
    """What it carries once nothing runs any more, and its connections are closed."""
    wait_until(lambda: set(in_engine(process).values()) == {0.0}, 30)
    return burden(process)


WAYS: list[dict[str, object]] = [
    {},
    {"stream": True},
    {"n": 2, "temperature": 0},
    {"logprobs": True, "top_logprobs": 2, "stream": True},
    {"tools": TOOLS, "stop": [PROMPT]},
    {"tools": TOOLS, "tool_choice": "required", "stream": True},
]
REFUSED: list[tuple[str, dict[str, object]]] = [
    (CHAT, {"messages": [{"role": "user", "content": PROMPT * 8192}]}),
    (CHAT, {"logit_bias": {"999999": 1}}),
    (CHAT, {"response_format": of_schema({"type": "object", "properties": {PROMPT: {"$ref": f"#/{PROMPT}"}}})}),
    (CHAT, {"response_format": of_schema({"type": "string", "pattern": f"({PROMPT}"})}),
    (COMPLETIONS, {"prompt": PROMPT * 8192, "stream": True}),
    (COMPLETIONS, {"prompt": [10**6]}),
    (COMPLETIONS, {"temperature": PROMPT}),
]


async def test_no_canary_is_seen_through_vllm(living: EngineProcess) -> None:
    """In nothing that any of its processes says, at the highest level of each of their logs."""
    living.ready()
    (living.keys / "canary").write_text(KEY)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with client(living) as caller:
        await eventually(lambda: httpx.get(living.url + "/health", headers=headers).status_code == 200, 20)
        for way in WAYS:
            assert (await caller.post(CHAT, json=CANARY_CHAT | way, headers=headers)).status_code == 200
        for more in ({}, {"stream": True}, {"echo": True, "logprobs": 2}, {"prompt": [PROMPT] * 3, "best_of": 2}):
            assert (await caller.post(COMPLETIONS, json=CANARY_TEXT | more, headers=headers)).status_code == 200
        for path, change in REFUSED:
            answer = await caller.post(path, json=(CANARY_CHAT if path == CHAT else CANARY_TEXT) | change)
            assert (answer.status_code in (400, 422), sightings(answer.text)) == (True, []), change
        await leaves(caller, CHAT, CANARY_CHAT)

    assert sightings(*told(living), *written(living)) == []


async def test_a_killed_worker_ends_every_stream_and_the_process(living: EngineProcess) -> None:
    """Each stream ends with an error event, the server is not ready any more, and the operator learns why."""
    living.ready()
    _, worker = living.engine()
    async with client(living) as caller:
        answers = [asyncio.ensure_future(whole_stream(caller)) for _ in range(5)]
        await eventually(lambda: in_engine(living)["vllm:num_requests_running"] == 5, 30)
        worker.kill()
        await eventually(lambda: not_ready(living), 10)
        found = await asyncio.gather(*answers)

    assert [events(answer)[-2]["error"]["code"] for answer in found] == ["engine_dead"] * 5
    assert {events(answer)[-1] for answer in found} == {"[DONE]"}
    assert living.running().wait(20) == 70
    assert living.reason()["reason"] == "EngineDead"
    assert sightings(*written(living)) == []


async def whole_stream(caller: httpx.AsyncClient) -> str:
    """Everything of one long stream."""
    async with caller.stream("POST", CHAT, json=CANARY_CHAT | {"stream": True} | ENDLESS) as answer:
        return "".join([text async for text in answer.aiter_text()])


def not_ready(process: EngineProcess) -> bool:
    """Whether the readiness probe fails, also for want of a listener."""
    with suppress(httpx.HTTPError):
        return process.probe("/readyz") != 200
    return True


async def test_a_stopped_engine_is_silence_until_the_stall_limit_and_death_from_then_on(
    tiny_model: Path, tmp_path: Path
) -> None:
    """Not ready first, and alive; then the streams are told, and the process ends."""
    with an_engine_process(tmp_path, tiny_model, "--stall-timeout", str(STALL_SECONDS)) as process:
        process.ready()
        core, worker = process.engine()
        async with client(process) as caller:
            stream = asyncio.ensure_future(whole_stream(caller))
            await eventually(lambda: in_engine(process)["vllm:num_requests_running"] == 1, 30)
            for each in (worker, core):
                each.send_signal(signal.SIGSTOP)
            await eventually(lambda: process.probe("/readyz") == 503, 10 + 5)
            silent = [process.probe("/livez"), stream.done(), process.running().poll()]
            answer = await asyncio.wait_for(stream, STALL_SECONDS + 15)

        assert silent == [200, False, None]
        assert events(answer)[-2]["error"]["code"] == "engine_dead"
        assert process.running().wait(30) == 70
        assert "no sign of life for 12 seconds" in process.reason()["message"]
