"""Qwen Code, the coding agent, with a whole loop of tools: it really reads, writes and sends back what came of it."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.clients.agents import DONE, PLAN, WRITTEN, solving
from tests.clients.calls import TEMPLATES
from tests.clients.node_programs import FOLDER, node
from tests.clients.page import snippet
from tests.clients.servers import environment
from tests.server_unit.process import Process, a_process

PROGRAM = FOLDER / "node_modules/@qwen-code/qwen-code/cli-entry.js"


def run(process: Process, home: Path, work: Path) -> list[dict[str, Any]]:
    """The agent's own record of the task that the page shows, with the settings that the page shows."""
    (home / ".qwen").mkdir(parents=True)
    (home / ".qwen/settings.json").write_text(snippet("Qwen Code", "json"))
    name, *task = shlex.split(snippet("Qwen Code", "bash"))
    given = {**environment(process), "HOME": str(home)}
    ended = node(str(PROGRAM), *task, "--output-format", "json", variables=given, folder=work)

    assert (name, ended.returncode) == ("qwen", 0), ended.stderr
    record: list[dict[str, Any]] = json.loads(ended.stdout)
    return record


def results(record: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tools said."""
    parts = [part for entry in record if entry["type"] == "user" for part in entry["message"]["content"]]
    return [part for part in parts if part["type"] == "tool_result"]


@pytest.mark.parametrize("form", TEMPLATES)
def test_the_agent_does_its_task(tmp_path: Path, form: str) -> None:
    """The file is there to the character, every tool has succeeded, and no request was refused or repeated."""
    served, work = tmp_path / "served", tmp_path / "work"
    for folder in (served, work):
        folder.mkdir()
    (work / "plan.txt").write_text(PLAN)
    with a_process(served, **solving(form, "read_file", "write_file", work)) as process:
        record = run(process.ready(), tmp_path / "home", work)

    told, end = results(record), record[-1]
    assert (work / "hello.txt").read_text() == WRITTEN
    assert [result["is_error"] for result in told] == [False, False, False]
    assert [PLAN in told[0]["content"], "Hello from Qwen." in told[2]["content"]] == [True, True]
    assert (end["subtype"], end["result"], end["num_turns"]) == ("success", DONE, 3)
    assert {key: end["stats"]["models"]["qwen3"]["api"][key] for key in ("totalRequests", "totalErrors")} == {
        "totalRequests": 3,
        "totalErrors": 0,
    }
