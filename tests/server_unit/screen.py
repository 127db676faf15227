"""A program at a pseudo-terminal, as a person starts it, and what is left on the screen."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.server_unit.waiting import wait_until

START_SECONDS = 60.0
"""A bound for a machine under load, never a time that is waited for."""
INTERRUPT = b"\x03"
"""Ctrl-C, as a terminal sends it."""


@dataclass
class Screen:
    """The person's side of one terminal."""

    popen: "subprocess.Popen[bytes]"
    terminal: int
    written: bytes = b""

    def read_on(self) -> None:
        """Take everything until the other side is gone."""
        while True:
            try:
                more = os.read(self.terminal, 65536)
            except OSError:  # how Linux says that the last one has closed the other side
                return
            self.written += more

    def text(self) -> str:
        """Everything that was ever shown."""
        return self.written.decode()

    def lines(self) -> list[str]:
        """What stays: of a line that was drawn anew, the last drawing."""
        lines = self.text().replace("\r\n", "\n").split("\n")
        return [re.split(r"\r\x1b\[K", line)[-1].rstrip() for line in lines]

    def shows(self, words: str) -> None:
        """Wait for words; an end without them is a failure."""
        wait_until(lambda: words in self.text() or self.popen.poll() is not None, START_SECONDS)
        assert words in self.text(), self.text()

    def press(self, key: bytes) -> None:
        """Type."""
        os.write(self.terminal, key)

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        return self.popen.wait(START_SECONDS)


def a_screen(*arguments: object, folder: Path, columns: int = 120) -> AbstractContextManager[Screen]:
    """`qwen-server` with these arguments at a terminal of so many columns; gone afterwards, whatever the test did."""
    return at_a_terminal([sys.executable, "-m", "qwen_server", *map(str, arguments)], folder, columns=columns)


def _at(terminal: int) -> None:
    """As a shell starts a program; a test run in the background would hand on that it ignores Ctrl-C."""
    os.login_tty(terminal)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def at_a_terminal(
    line: list[str], folder: Path, environment: Mapping[str, str] | None = None, columns: int = 120
) -> Iterator[Screen]:
    """Any command line at a terminal.

    :param environment: of the program; None hands on our own.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    popen = subprocess.Popen(
        line,
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=lambda: _at(theirs),  # noqa: PLW1509 - makes Ctrl-C reach it
    )
    os.close(theirs)
    screen = Screen(popen, ours)
    reader = threading.Thread(target=screen.read_on)
    reader.start()
    try:
        yield screen
    finally:
        popen.kill()
        popen.wait()
        reader.join()
        os.close(ours)
