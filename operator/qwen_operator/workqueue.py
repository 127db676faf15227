"""Which model is reconciled next: wake-ups are merged, and one worker at a time holds a key.

Why it exists: events arrive in bursts, out of order and doubled. A reconcile reads everything anew, so all that an
event may do is to make its key *dirty*. It must never carry an event's content, await inside `add`, or let one failing
model delay another.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum

from qwen_operator.keys import Key

FIRST_DELAY = 0.1
"""Seconds before a failed attempt is tried again; doubled with each failure in a row."""
LONGEST_DELAY = 75.0
"""Seconds that the doubling stops at. With the spread, a key that fails for long is tried at most once a minute, and
what no event tells of, such as a foreign object that was taken away, is noticed within a minute and a half."""
QUIET = 60.0
"""Seconds between two attempts at a failing key when nothing but events of its children ask for one."""
REST = 0.1
"""Seconds from the begin of one look at a key to that of the next which nothing but events of its children ask for. A
Deployment tells of each pod's each step; a hundred of its changes at once cost two looks."""
JITTER = 0.2
"""Each delay is spread by this share of itself, so that failures of many keys don't march in step."""

log = logging.getLogger(__name__)


class Unfinished(Exception):  # noqa: N818  (it is an answer, not an error)
    """An attempt ended as far as it could and must be repeated; it has been reported already."""


class Result(StrEnum):
    """How an attempt ended."""

    SETTLED = "settled"
    UNFINISHED = "unfinished"
    DEFECT = "defect"


Ended = Callable[[Result, float], None]
"""Told of each attempt: its result, and how long it took in seconds. It must not wait or fail."""
Attempt = Callable[[Key], Awaitable[float | None]]
"""One try at a key. Returns seconds after which to look again, or None. An exception means: back off and repeat."""


class WorkQueue:
    """The dirty keys, the busy ones, and those that wait for a time."""

    def __init__(
        self,
        attempt: Attempt,
        *,
        ended: Ended = lambda *_: None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._attempt = attempt
        self._ended = ended
        self._spread = spread
        self._since: dict[Key, float] = {}
        self._edited: deque[Key] = deque()
        self._others: deque[Key] = deque()
        self._urgent: set[Key] = set()
        self._busy: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._tried_at: dict[Key, float] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._resting: dict[Key, asyncio.TimerHandle] = {}
        self._awaited: set[Key] = set()
        self._something = asyncio.Event()
        self._opened = asyncio.Event()
        self._closed = False
        self.bugs = 0
        self.attempts = 0

    def add(self, key: Key, *, edited: bool = False) -> None:
        """Wake a key. An edit by a person goes ahead of all others and ends a back-off; others only shorten it."""
        if edited:
            self._failures.pop(key, None)
        if wait := self._quiet_for(key):
            self._later(key, wait, only_sooner=True)
        elif key in self._resting and not edited:
            self._awaited.add(key)
        else:
            self._enqueue(key, edited=edited)

    async def run(self, workers: int) -> None:
        """Wait for `open`, then work until cancelled or closed.

        :param workers: how many keys may be worked on at once.
        """
        async with asyncio.TaskGroup() as tasks:
            for number in range(workers):
                tasks.create_task(self._work(), name=f"worker {number}")

    def open(self) -> None:
        """Let the workers begin: every cache has listed once, and we may write."""
        self._opened.set()

    def close(self) -> None:
        """Let running attempts end and start no more; `run` then returns."""
        self._closed = True
        self._opened.set()
        for timer in (*self._timers.values(), *self._resting.values()):
            timer.cancel()
        self._something.set()

    @property
    def opened(self) -> bool:
        """Whether the workers may work."""
        return self._opened.is_set()

    @property
    def idle(self) -> bool:
        """Whether nothing waits for a worker, or to be let to one soon, and no worker works."""
        return not self._since and not self._busy and not self._awaited

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._since)

    def oldest_wait(self) -> float:
        """Seconds that the oldest waiting key has waited; 0 if none waits."""
        now = self._now()
        return now - min(self._since.values(), default=now)

    async def _work(self) -> None:
        await self._opened.wait()
        while not self._closed:
            key = self._next()
            if key is None:
                self._something.clear()
                await self._something.wait()
                continue
            await self._serve(key)

    def _next(self) -> Key | None:
        for line in (self._edited, self._others):
            for _ in range(len(line)):
                key = line.popleft()
                # A key stands in both lines when an edit overtook a resync, and a busy one waits for its worker.
                if key in self._since and key not in self._busy:
                    return key
        return None

    async def _serve(self, key: Key) -> None:
        self._busy.add(key)
        self._rest(key)
        del self._since[key]
        self._urgent.discard(key)
        self._tried_at[key] = started = self._now()
        self.attempts += 1
        result = Result.SETTLED
        try:
            self._settle(key, await self._attempt(key))
        except Unfinished:
            result = Result.UNFINISHED
            self._retry(key)
        except Exception:
            self.bugs += 1
            result = Result.DEFECT
            log.exception("%s: an unforeseen error; it is tried again with growing pauses, and is worth a report", key)
            self._retry(key)
        finally:
            self._ended(result, self._now() - started)
            self._busy.discard(key)
            if key in self._since:
                self._line(key).append(key)
                self._something.set()

    def _rest(self, key: Key) -> None:
        """Let mere events wait from now on for a moment; what came before is answered by the look that begins."""
        if earlier := self._resting.get(key):
            earlier.cancel()
        self._awaited.discard(key)
        self._resting[key] = asyncio.get_running_loop().call_later(REST, self._rested, key)

    def _rested(self, key: Key) -> None:
        del self._resting[key]
        if key in self._awaited:
            self._awaited.discard(key)
            self._enqueue(key, edited=False)

    def _settle(self, key: Key, again: float | None) -> None:
        self._failures.pop(key, None)
        self._tried_at.pop(key, None)
        if again is None:
            self._cancel_timer(key)
        else:
            self._later(key, again)

    def _retry(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(FIRST_DELAY * 2.0 ** min(failures, 16), LONGEST_DELAY)
        self._later(key, delay)

    def _quiet_for(self, key: Key) -> float:
        """Seconds for which a failing key is to be left alone; 0 if it may run now."""
        if not self._failures.get(key) or key in self._busy:
            return 0.0
        return max(0.0, self._tried_at.get(key, 0.0) + QUIET - self._now())

    def _later(self, key: Key, delay: float, *, only_sooner: bool = False) -> None:
        due = self._now() + delay * (1 - JITTER + 2 * JITTER * self._spread())
        timer = self._timers.get(key)
        if only_sooner and timer is not None and timer.when() <= due:
            return
        self._cancel_timer(key)
        self._timers[key] = asyncio.get_running_loop().call_at(due, self._due, key)

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self._enqueue(key, edited=False)

    def _enqueue(self, key: Key, *, edited: bool) -> None:
        overtakes = edited and key not in self._urgent
        if key in self._since and not overtakes:
            return
        self._since.setdefault(key, self._now())
        if edited:
            self._urgent.add(key)
        if key not in self._busy:
            self._line(key).append(key)
            self._something.set()

    def _line(self, key: Key) -> deque[Key]:
        return self._edited if key in self._urgent else self._others

    def _cancel_timer(self, key: Key) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
