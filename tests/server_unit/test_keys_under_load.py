"""Key files in every bad state while requests come in: nobody with a valid key is refused, nobody else is let in."""

import asyncio
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.server_unit.builders import KEY
from tests.server_unit.process import Process, a_process
from tests.server_unit.raw import connected, read_answer
from tests.server_unit.waiting import eventually

BOB = "visible-fake-key-of-bob-which-is-long"
HALF = BOB[: len(BOB) // 2]
NEVER = (HALF, "visible-fake-key-of-nobody", "sha256:" + hashlib.sha256(KEY.encode()).hexdigest(), "alice", "sha256:")
"""What has no key's rights at any time."""
IN, OUT = b"HTTP/1.1 200 ", b"HTTP/1.1 401 "
CONNECTIONS = 4
ENOUGH = 400
"""Requests in each state, besides those until the directory has been read twice: 2 s at 200 a second."""


@dataclass
class Traffic:
    """Requests with all keys in turn, as fast as they are answered; what each may be told at present."""

    process: Process
    allowed: dict[str, tuple[bytes, ...]]
    wrong: list[tuple[str, bytes]] = field(default_factory=list)
    answered: int = 0
    last: dict[str, bytes] = field(default_factory=dict)

    async def run(self) -> None:
        """Ask on one connection. Runs until cancelled."""
        async with connected(self.process) as (reader, writer):
            for turn in itertools.count():
                key = list(self.allowed)[turn % len(self.allowed)]
                before = self.allowed[key]
                writer.write(f"GET /v1/models HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
                answer = await read_answer(reader)
                self.answered += 1
                self.last[key] = answer[: len(IN)]
                if self.last[key] not in {*before, *self.allowed[key]}:
                    self.wrong.append((key, answer[: len(IN)]))


async def settled(traffic: Traffic, keys: Path, number: int) -> None:
    """Wait until the server has read the directory twice since now: a key that is new is known then."""
    marker = f"visible-fake-key-of-marker-{number}"
    traffic.allowed[marker] = (IN, OUT)
    (keys / f"marker-{number}").write_text(marker)
    await eventually(lambda: traffic.last.get(marker) == IN, 60)
    traffic.allowed[marker] = (IN,)


@contextmanager
def rewritten(file: Path) -> Iterator[None]:
    """The file is written anew without end, and half of it is there for half of the time."""
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with file.open("w") as opened:
                opened.write(HALF)
                opened.flush()
                over.wait(0.01)
                opened.write(BOB.removeprefix(HALF))
                opened.flush()
                over.wait(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def half_a_digest(file: Path) -> None:
    """Cut off."""
    file.write_text(f"sha256:{hashlib.sha256(BOB.encode()).hexdigest()[:40]}")


def nothing(file: Path) -> None:
    """Empty."""
    file.write_text("")


def unreadable(file: Path) -> None:
    """A link into nothing."""
    file.unlink()
    file.symlink_to("nowhere")


def whole(file: Path) -> None:
    """As it should be."""
    file.unlink(missing_ok=True)
    file.write_text(f"sha256:{hashlib.sha256(BOB.encode()).hexdigest()}\n")


async def test_no_state_of_a_key_file_refuses_a_valid_key_or_lets_in_another(tmp_path: Path) -> None:
    """Half-written, empty, unreadable, deleted, and the whole directory gone, each for longer than two readings."""
    with a_process(tmp_path) as process:
        bob, away = process.keys / "bob", tmp_path / "away"
        bob.write_text(BOB)
        process.ready()
        allowed: dict[str, tuple[bytes, ...]] = {KEY: (IN,), BOB: (IN,), **dict.fromkeys(NEVER, (OUT,))}
        traffic = Traffic(process, allowed)
        numbers = itertools.count()
        states: list[tuple[Callable[[Path], None], tuple[bytes, ...]]] = [
            (half_a_digest, (IN,)),
            (nothing, (IN,)),
            (unreadable, (IN,)),
            (whole, (IN,)),
            (Path.unlink, (OUT,)),
            (whole, (IN,)),
        ]
        asking = [asyncio.ensure_future(traffic.run()) for _ in range(CONNECTIONS)]
        for change, expected in states:
            traffic.allowed[BOB] = (*traffic.allowed[BOB], *expected)
            change(bob)
            await settled(traffic, process.keys, next(numbers))
            traffic.allowed[BOB] = expected
            await more(traffic)
        with rewritten(bob):
            await settled(traffic, process.keys, next(numbers))
            await settled(traffic, process.keys, next(numbers))
            await more(traffic)
        process.keys.rename(away)
        await eventually(lambda: "cannot be read" in process.output(), 60)
        await more(traffic)
        away.rename(process.keys)
        await settled(traffic, process.keys, next(numbers))
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

        assert traffic.wrong == []
        assert KEY not in process.output()


async def more(traffic: Traffic) -> None:
    """Wait for enough requests in the present state."""
    until = traffic.answered + ENOUGH
    await eventually(lambda: traffic.answered >= until, 60)
