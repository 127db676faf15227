"""A question to an engine's core ends with the answer or with the core."""

import asyncio

import pytest

from qwen_server.engine.roundtrip import answered


async def silence() -> None:
    """No answer."""
    await asyncio.Event().wait()


async def test_an_answer_is_an_answer() -> None:
    """Whatever it says."""
    assert await answered(asyncio.sleep(0, result=False), lambda: False)


@pytest.mark.looptime
async def test_a_core_that_dies_with_a_question_pending_is_noticed_at_once() -> None:
    """Nobody else would ever answer, and the question does not stay behind."""
    loop = asyncio.get_running_loop()

    assert not await answered(silence(), lambda: loop.time() >= 3.0)

    assert loop.time() <= 3.5
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_the_question_raises_is_raised() -> None:
    """The caller knows what it means."""

    async def broken() -> None:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await answered(broken(), lambda: False)


@pytest.mark.looptime
async def test_a_core_that_only_hangs_is_waited_for() -> None:
    """The bound is the caller's."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(100):
            await answered(silence(), lambda: False)

    assert asyncio.get_running_loop().time() == pytest.approx(100)
