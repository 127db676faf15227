"""Whether the engine lives: judged by its last sign of life, an output or an answered ping, never by a flag of its own.

The judgement is pure. It must never touch a request.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from qwen_server.engine.base import Engine, EngineDead, Progress
from qwen_server.pace import Load
from qwen_server.settings import SILENT_SECONDS

PING_SECONDS = 0.5
"""Between two pings: a dead engine is noticed within 1 s. A ping costs the engine less than 0.5 ms."""
DIED = "The engine died; the server restarts."


class Condition(StrEnum):
    """How the engine does."""

    LIVELY = "lively"
    SILENT = "silent"
    DEAD = "dead"


def condition(silence: float, stall_timeout: float) -> Condition:
    """The engine's condition after so many seconds without a sign of life."""
    if silence >= stall_timeout:
        return Condition.DEAD
    return Condition.SILENT if silence >= SILENT_SECONDS else Condition.LIVELY


@dataclass(slots=True)
class Pulse:
    """The last sign of life. `clock` is monotonic, in seconds."""

    stall_timeout: float
    clock: Callable[[], float] = time.monotonic
    dead: bool = False
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.clock()

    def beat(self) -> None:
        """The engine gave an output or answered a ping."""
        self.last = self.clock()

    def condition(self) -> Condition:
        """The engine's condition now."""
        return Condition.DEAD if self.dead else condition(self.clock() - self.last, self.stall_timeout)


LOOK_SECONDS = 1.0
"""Between two looks at the progress of a start."""
BLIND_FACTOR = 6
"""How many stall limits a start may take between two changes as long as no byte of weights has been counted: the engine
may not be able to count them, and then only the change of stage tells that it moves."""


def start_patience(progress: Progress, stall_timeout: float) -> float:
    """How many seconds may pass without a change of this progress."""
    return stall_timeout if progress.bytes_done else stall_timeout * BLIND_FACTOR


async def watch_start(engine: Engine, stall_timeout: float, load: Load) -> str:
    """Return a sentence once the start of the engine moves no more; cancelled when it is up. `load` learns of it."""
    loop = asyncio.get_running_loop()
    seen, since = engine.progress(), loop.time()
    while loop.time() - since < start_patience(seen, stall_timeout):
        await asyncio.sleep(LOOK_SECONDS)
        now = engine.progress()
        load.saw(now, loop.time())
        if now != seen:
            seen, since = now, loop.time()
    return (
        f"The engine stood still at `{seen.stage}` for {loop.time() - since:.0f} seconds; look at storage and devices."
    )


async def watch_engine(engine: Engine, pulse: Pulse) -> str:
    """Ping until the engine is dead; returns the sentence that says why. An unanswered ping only means silence."""
    pulse.beat()
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                await engine.ping()
            pulse.beat()
        except TimeoutError:
            if pulse.condition() is Condition.DEAD:
                pulse.dead = True
                return f"The engine gave no sign of life for {pulse.stall_timeout:g} seconds; the server restarts."
        except EngineDead as error:
            pulse.dead = True
            return str(error) or DIED
        await asyncio.sleep(PING_SECONDS)


LAST_LOOK_SECONDS = 1.0


async def last_look(engine: Engine) -> str | None:
    """Why the engine is dead; None if it answers, or gives no answer in time, which at the end is nobody's concern."""
    try:
        async with asyncio.timeout(LAST_LOOK_SECONDS):
            await engine.ping()
    except TimeoutError:
        return None
    except EngineDead as error:
        return str(error) or DIED
    return None
