"""`kubectl qwen chat` at a terminal, to a real server behind an emulated portforward."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_operator.core import kinds
from tests.operator_api.plugin import command_line, environment
from tests.operator_api.running import a_model
from tests.operator_api.server import Server
from tests.operator_api.test_proxy import port_of, with_replica, with_secret
from tests.server_unit.builders import KEY
from tests.server_unit.process import Process, a_process
from tests.server_unit.screen import INTERRUPT, Screen, at_a_terminal

END_OF_INPUT = b"\x04"
"""Ctrl-D, as a terminal sends it."""
INTERRUPTED = 130


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Process]:
    """A server that says what it hears."""
    folder = tmp_path / "replica"
    folder.mkdir()
    with a_process(folder) as process:
        yield process.ready()


@pytest.fixture
async def served(emulated: Server, replica: Process) -> Server:
    """A model with a replica and a key."""
    await emulated.create(kinds.QWEN_MODEL, a_model())
    await with_replica(emulated, port_of(replica))
    await with_secret(emulated, KEY)
    return emulated


async def test_a_person_asks_twice_and_leaves_with_the_end_of_input(served: Server, tmp_path: Path) -> None:
    """A prompt, the answer below the question, another prompt; nothing else, and never the key."""

    def talk(screen: Screen) -> int:
        screen.shows("> ")
        screen.press(b"Good morning\r")
        screen.shows("Good morning\r\nGood morning\r\n> ")
        screen.press(b"And you\r")
        screen.shows("And you\r\nAnd you\r\n> ")
        screen.press(END_OF_INPUT)
        return screen.ended()

    with at_a_terminal(command_line(served, "chat", "qwen3"), tmp_path, environment(served)) as screen:
        assert await asyncio.to_thread(talk, screen) == 0

    assert KEY not in screen.text()
    assert screen.lines() == ["> Good morning", "Good morning", "> And you", "And you", ">"]


async def test_an_interrupt_at_the_prompt_ends_it_at_once(served: Server, tmp_path: Path) -> None:
    """With the exit status that shells give, and no traceback."""

    def leave(screen: Screen) -> int:
        screen.shows("> ")
        screen.press(INTERRUPT)
        return screen.ended()

    with at_a_terminal(command_line(served, "chat", "qwen3"), tmp_path, environment(served)) as screen:
        assert await asyncio.to_thread(leave, screen) == INTERRUPTED

    assert "Traceback" not in screen.text()
