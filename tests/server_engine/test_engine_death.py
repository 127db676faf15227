"""An engine core that hangs, and one that dies: each must be told from a busy one."""

import asyncio
import os
import signal
from multiprocessing import active_children
from pathlib import Path

import pytest

from qwen_server.engine.base import EngineDead, Sampling
from tests.server_engine.conftest import deltas, in_engine, null_engine, script

pytestmark = pytest.mark.asyncio(loop_scope="module")


def engine_core() -> int:
    """The process id of vLLM's engine core."""
    (core,) = [child.pid for child in active_children() if child.name.startswith("EngineCore")]
    assert core is not None
    return core


async def test_a_stopped_core_answers_no_ping_and_a_killed_one_ends_every_stream(tiny_model: Path) -> None:
    """One engine's whole end: hung, well again, killed in the middle of two streams and of a ping, closed."""
    async with null_engine(tiny_model) as loaded:
        engine, core = loaded.engine, engine_core()
        os.kill(core, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.ping(), 1.0)
        os.kill(core, signal.SIGCONT)
        await asyncio.wait_for(engine.ping(), 5.0)

        endless = Sampling(max_tokens=400, ignore_eos=True, extra=script("abc", again=True, pause=0.01))
        work = [asyncio.create_task(deltas(engine, endless, name=name)) for name in ("first", "second")]
        await in_engine(engine, 2)
        os.kill(core, signal.SIGSTOP)
        ping = asyncio.create_task(engine.ping())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ping), 0.5)
        os.kill(core, signal.SIGKILL)
        with pytest.raises(EngineDead):
            await asyncio.wait_for(ping, 5.0)
        ends = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 10.0)
        assert [type(end) for end in ends] == [EngineDead, EngineDead]
        with pytest.raises(EngineDead):
            await engine.ping()
        with pytest.raises(EngineDead):
            await deltas(engine, endless)
        await asyncio.wait_for(engine.close(5.0), 10.0)
        await engine.close(5.0)
    assert active_children() == []
