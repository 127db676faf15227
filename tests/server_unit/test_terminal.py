"""The words and pictures of the start-up display. Time is simulated."""

import asyncio
import io
import json
import os
import pty
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_server.engine.base import Progress, Stage
from qwen_server.terminal import Opening, Terminal, curl, invitation, prepare_journal, stage_line

OPENING = Opening(
    version="1.2.3",
    model=Path("/models/m"),
    served_model_name="it's",
    engine="vLLM on the GPU",
    host="0.0.0.0",  # noqa: S104
    port=8000,
    management_port=8001,
    keys=("alice", "bob"),
    legible=Path("/my keys/alice"),
)


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(Stage.PREPARING), "  preparing         12.3 s"),
        (Progress(Stage.LOADING, 5), "  loading weights   12.3 s"),
        (
            Progress(Stage.LOADING, 4_000_000_000, 16_000_000_000),
            "  loading weights   12.3 s  ######..................  25 %  4.0 of 16.0 GB",
        ),
        (Progress(Stage.WARMING, 16, 16), "  warming up        12.3 s"),
    ],
)
def test_a_stage_is_a_line(progress: Progress, line: str) -> None:
    """Bytes and percent where they are known."""
    assert stage_line(progress, 12.34) == line


def test_what_can_be_pasted_is_quoted_for_a_shell() -> None:
    """Names and paths are whatever a person likes."""
    assert "$(cat '/my keys/alice')" in curl(OPENING)
    assert """'{"model": "it'"'"'s",""" in curl(OPENING)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/v1"),
        ("0.0.0.0", "http://localhost:8000/v1"),  # noqa: S104
        ("::1", "http://[::1]:8000/v1"),
    ],
)
def test_the_address_is_one_that_can_be_opened(host: str, url: str) -> None:
    """Nobody can open 0.0.0.0."""
    opening = replace(OPENING, host=host)

    assert f"  API        {url}\n" in invitation(opening, 8192, 41.7)


def test_events_are_sentences() -> None:
    """One that has none is shown as it is; warnings of libraries are not."""
    written = io.StringIO()
    terminal = Terminal(written)

    terminal.note("draining", running=2)
    terminal.note("log", "warning", logger="vllm", message="for developers")
    terminal.note("log", "error", logger="vllm", message="for\n everybody")
    terminal.note("unheard of", of=1)

    assert written.getvalue().replace("\r\x1b[K", "").splitlines() == [
        "Stopping, once 2 running request(s) are answered; Ctrl-C again ends them.",
        "vllm: for everybody",
        "unheard of: of 1",
    ]


@pytest.mark.looptime
async def test_the_stages_follow_each_other_down_the_screen() -> None:
    """Each is drawn anew until the next one begins, and nothing is drawn any more once all are over."""
    loop = asyncio.get_running_loop()
    written = io.StringIO()
    terminal = Terminal(written, clock=loop.time)

    def progress() -> Progress:
        if loop.time() < 2:
            return Progress(Stage.PREPARING)
        done = int(10 * loop.time())  # of 100 bytes, ten a second
        return Progress(Stage.LOADING, done, 100) if loop.time() < 5 else Progress(Stage.READY)

    assert await terminal.beside(asyncio.sleep(9, "result"), progress) == "result"

    last = [line.split("\r\x1b[K")[-1] for line in written.getvalue().split("\n")]
    assert [line[:18].strip() for line in last] == ["preparing", "loading weights"]
    assert last[1].endswith(" 48 %  0.0 of 0.0 GB, 5 s left")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a process keeps it until its end
def test_a_persons_terminal_is_for_the_display_alone() -> None:
    """What anybody else writes there, a child's traceback for instance, is dropped."""
    screen, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        journal = prepare_journal(stream)
        os.write(stream.fileno(), b"Traceback of a child")
        print("a library's line", file=stream, flush=True)
        journal.note("stopped")

        assert os.read(screen, 65536) == b"\r\x1b[KStopped.\r\n"
    os.close(screen)


def test_a_programs_stream_is_left_as_it_is(tmp_path: Path) -> None:
    """It gets the journal's lines, and whatever else there is."""
    with (tmp_path / "log").open("w") as stream:
        prepare_journal(stream).note("stopped")
        print("a library's line", file=stream)

    lines = (tmp_path / "log").read_text().splitlines()
    assert json.loads(lines[0])["event"] == "stopped"
    assert lines[1:] == ["a library's line"]
