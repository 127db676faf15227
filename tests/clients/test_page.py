"""Each snippet for programmers, run as its reader would."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.node_programs import node
from tests.clients.page import PAGE, QUESTION, snippet
from tests.clients.servers import environment
from tests.pages import run_by
from tests.server_unit.builders import KEY
from tests.server_unit.process import Process

TWICE = f"{QUESTION}\n{QUESTION}"
"""Whole, then streamed, from a server that says what it hears."""


@pytest.mark.parametrize("client", ["Python", "LangChain"])
def test_a_snippet_in_python_prints_the_answer(client: str, echo: Process) -> None:
    """Whole and streamed."""
    program = [sys.executable, "-c", snippet(client, "python")]
    ended = subprocess.run(program, env=environment(echo), capture_output=True, text=True, check=False, timeout=120)

    assert (ended.returncode, ended.stdout) == (0, TWICE), ended.stderr


def test_a_snippet_in_javascript_prints_the_answer(echo: Process) -> None:
    """Whole and streamed."""
    ended = node("--input-type=module", "--eval", snippet("Node", "javascript"), variables=environment(echo))

    assert (ended.returncode, ended.stdout) == (0, TWICE), ended.stderr


def test_the_page_names_what_a_client_reads_from_its_environment(echo: Process) -> None:
    """The same that the tests set."""
    named = re.findall(r"^export (\w+)=", PAGE.read_text(), re.MULTILINE)

    assert named == list(environment(echo))


def test_the_first_question_of_the_readme_is_answered(echo: Process, tmp_path: Path) -> None:
    """By curl, with a key out of the directory of keys."""
    (typed,) = run_by("README.md", "tests/clients/test_page.py")
    keys = tmp_path / "qwen-keys"
    keys.mkdir()
    (keys / "alice").write_text(KEY)

    line = ["/bin/sh", "-c", typed.replace("http://localhost:8000", echo.url)]
    ended = subprocess.run(line, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60)

    assert json.loads(ended.stdout)["choices"][0]["message"]["content"] == "Hello", ended.stderr
