"""The official client for Node, each scenario by Node's own test runner against the server that it needs."""

import re
from pathlib import Path

import httpx
import pytest

from tests.clients.node_programs import FOLDER, passes
from tests.server_unit.process import START_SECONDS, Process, a_process
from tests.server_unit.waiting import wait_until


def test_chats_texts_models_and_what_is_wrong(echo: Process) -> None:
    """Whole and streamed."""
    passes("chat", echo)


def test_tools_are_run_to_the_end(calling: Process) -> None:
    """By the client's own runner, in both formats of calls."""
    passes("tools", calling)


def test_an_answer_of_a_schema_is_parsed(structured: Process) -> None:
    """By the client's own helper."""
    passes("schema", structured)


def test_an_error_inside_of_a_stream_is_raised(tmp_path: Path) -> None:
    """After the text that came before it."""
    with a_process(tmp_path, dies_after_tokens=2) as process:
        passes("dying", process.ready())


def test_the_client_waits_for_a_server_that_starts(tmp_path: Path) -> None:
    """By its own retries."""
    with a_process(tmp_path, load_seconds=4.0) as process:
        passes("starting", process.listening())


def test_a_client_that_waits_no_longer_frees_the_engine(tmp_path: Path) -> None:
    """Three of them: nothing runs afterwards."""
    with a_process(tmp_path, first_token_seconds=3600.0) as process:
        passes("stalled", process.ready())
        gone = 'qwen_server_requests_total{key="alice",route="/v1/chat/completions",status="499"} 3.0'
        wait_until(lambda: gone in httpx.get(f"{process.management}/metrics").text, START_SECONDS)


def test_every_scenario_is_run() -> None:
    """None lies there unused."""
    scenarios = {path.name.removesuffix(".test.mjs") for path in FOLDER.glob("*.mjs")}
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    assert scenarios == set(re.findall(r'passes\("(\w+)"', tests))


@pytest.mark.parametrize("place", ["resolved", "://", "git+", "file:"])
def test_the_lock_holds_no_address(place: str) -> None:
    """Name, version and hash say what a package is; where it comes from is the machine's own setting."""
    lock = (FOLDER / "package-lock.json").read_text()

    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
    assert place not in lock
