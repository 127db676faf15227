"""Many ends of one beginning: at some moments a run forks, and each branch goes on in a process of its own.

What comes before a moment is played once, and not again for each thing that may happen at it: that is half of the work.
A fork keeps no thread but the one that calls it, so trees grow only in processes that run nothing else.
"""

import asyncio
import os
import pickle
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

Name = TypeVar("Name")
End = TypeVar("End")


class _Branch(NamedTuple):
    name: object
    process: int
    pipe: int


class Tree(Generic[Name, End]):
    """A run and its branches.

    :param at_once: how many branches may grow at a time.
    """

    def __init__(self, at_once: int = os.cpu_count() or 1) -> None:
        self._at_once = at_once
        self._growing: deque[_Branch] = deque()
        self._into: int | None = None
        self.ends: dict[Name, End] = {}
        """How the branches ended, by their names."""
        self.broken: dict[Name, str] = {}
        """What those raised that did not end."""

    def grows(self, name: Name) -> bool:
        """Begin a branch: true in the new process, false in the one that goes on; a branch has none of its own."""
        if self._into is not None:
            return False
        while len(self._growing) >= self._at_once:
            self._harvest()
        loop = asyncio.get_running_loop()
        out, into = os.pipe()
        if process := os.fork():
            os.close(into)
            self._growing.append(_Branch(name, process, out))
            return False
        asyncio.events._set_running_loop(loop)  # noqa: SLF001  (it is forgotten by a fork)
        self._into = into
        return True

    def grown(self, play: Callable[[], End]) -> End:
        """Play the run, and wait for its branches."""
        try:
            end = pickle.dumps((True, play()))
        except BaseException:
            if self._into is None:
                raise
            end = pickle.dumps((False, traceback.format_exc()))
        if self._into is not None:
            with os.fdopen(self._into, "wb") as into:
                into.write(end)
            os._exit(0)
        while self._growing:
            self._harvest()
        found: End = pickle.loads(end)[1]  # noqa: S301  (our own)
        return found

    def _harvest(self) -> None:
        branch = self._growing.popleft()
        with os.fdopen(branch.pipe, "rb") as out:
            came = out.read()
        os.waitpid(branch.process, 0)
        well, end = pickle.loads(came) if came else (False, "it ended without a word")  # noqa: S301  (our own)
        kept: dict[Any, Any] = self.ends if well else self.broken
        kept[branch.name] = end
