"""What the server writes: its journal and its termination message."""

import asyncio
import io
import json
import logging
import sys
from pathlib import Path

import pytest

from qwen_server.journal import Journal, JournalHandler, report_lost_errors
from qwen_server.termination import MESSAGE_BYTES, Reason, Termination, write_termination

SECRET = "content-of-the-caller"


def a_journal() -> tuple[Journal, io.StringIO]:
    """A journal at a standing clock, and what it writes."""
    written = io.StringIO()
    return Journal(written, now=lambda: "2026-01-01T00:00:00.000Z"), written


def test_an_event_is_one_line_of_json() -> None:
    """Time and level first, then what happened."""
    journal, written = a_journal()

    journal.note("ready", context=200_000, architecture="A\nB")

    assert written.getvalue() == (
        '{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"ready","context":200000,"architecture":"A\\nB"}\n'
    )


def test_a_failure_tells_kind_and_place_but_not_the_message() -> None:
    """An exception's text may hold content."""
    journal, written = a_journal()
    nothing: dict[str, str] = {}
    try:
        nothing[SECRET]
    except KeyError as error:
        journal.failure("request failed", error, request="r1")

    line = json.loads(written.getvalue())

    assert (line["error"], line["request"], line["level"]) == ("KeyError", "r1", "error")
    assert line["at"].startswith("test_words.py:")
    assert SECRET not in written.getvalue()


def test_log_records_of_libraries_come_without_values() -> None:
    """Their templates say enough."""
    journal, written = a_journal()
    logger = logging.getLogger("some.library")
    logger.handlers, logger.propagate = [JournalHandler(journal)], False

    logger.info("not even written")
    logger.warning("prompt %s was odd", SECRET)
    try:
        int(SECRET)
    except ValueError:
        logger.exception("failed on %r", SECRET)

    first, second = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (first["logger"], first["message"], first["level"]) == ("some.library", "prompt %s was odd", "warning")
    assert (second["message"], second["error"]) == ("failed on %r", "ValueError")
    assert SECRET not in written.getvalue()


async def test_an_error_that_nobody_awaited_is_written_without_its_text() -> None:
    """asyncio's own report would show the exception and the coroutine."""
    journal, written = a_journal()
    loop = asyncio.get_running_loop()
    report_lost_errors(loop, journal)

    loop.call_exception_handler({"message": SECRET, "exception": ValueError(SECRET)})
    loop.call_exception_handler({"message": SECRET})

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["lost error", "lost error"]
    assert lines[0]["error"] == "ValueError"
    assert SECRET not in written.getvalue()


def test_the_journal_goes_to_standard_error_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Where logs belong, with a time in UTC."""
    Journal(sys.stderr).note("stopped")

    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "stopped"
    assert line["time"].endswith("Z")


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.MODEL_PATH_NOT_FOUND, 78),
        (Reason.MODEL_INVALID, 78),
        (Reason.NO_USABLE_KEY, 78),
        (Reason.CONTEXT_TOO_LONG, 78),
        (Reason.INVALID_ARGUMENT, 78),
        (Reason.ENGINE_START_FAILED, 70),
        (Reason.ENGINE_DEAD, 70),
        (Reason.KV_CACHE_TOO_SMALL, 78),
        (Reason.GPU_MEMORY_TAKEN, 70),
    ],
)
def test_the_exit_status_says_who_must_act(reason: Reason, status: int) -> None:
    """78 for what a user must mend, 70 for a failure of the engine."""
    assert Termination(reason, "x").exit_status == status


def test_a_termination_message_is_one_short_line(tmp_path: Path) -> None:
    """Line breaks become spaces, and a long text is cut at a whole character."""
    message = "First\nsecond " + "ü" * 2000

    write_termination(tmp_path / "log", Termination(Reason.ENGINE_DEAD, message))

    text = (tmp_path / "log").read_text()
    parsed = json.loads(text)
    assert text.count("\n") == 1
    assert parsed["reason"] == "EngineDead"
    assert parsed["message"].startswith("First second ü")
    assert MESSAGE_BYTES - 1 <= len(parsed["message"].encode()) <= MESSAGE_BYTES


def test_a_termination_message_replaces_an_older_one(tmp_path: Path) -> None:
    """The file of a restarted container holds the last reason alone."""
    (tmp_path / "log").write_text("something much longer than the new message " * 20)

    write_termination(tmp_path / "log", Termination(Reason.NO_USABLE_KEY, "No key."))

    assert (tmp_path / "log").read_text() == '{"reason": "NoUsableKey", "message": "No key."}\n'


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """Outside of a container there is none."""
    write_termination(tmp_path / "no" / "such" / "folder", Termination(Reason.ENGINE_DEAD, "x"))

    assert list(tmp_path.iterdir()) == []
