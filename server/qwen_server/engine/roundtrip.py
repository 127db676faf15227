"""A question to the engine's core, for as long as the core lives.

vLLM leaves a pending question unanswered for ever when its core dies, so that waiting for the answer alone would take
a death for a silence. It must never bound the wait itself: how long a silence may be is the caller's to say.
"""

import asyncio
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 0.25
"""Between two looks at the core while it owes an answer; with the time between pings a death shows within 1 s."""


async def answered(question: Awaitable[object], is_dead: Callable[[], bool]) -> bool:
    """True once the question is answered, False once the core is dead. Raises what the question raises."""
    asked = asyncio.ensure_future(question)
    try:
        while not asked.done() and not is_dead():
            await asyncio.wait({asked}, timeout=LOOK_SECONDS)
        if asked.done():
            asked.result()
        return asked.done()
    finally:
        asked.cancel()
