"""Each snippet for programmers, run as its reader would."""

import re
import subprocess
import sys

import pytest

from tests.clients.node_programs import node
from tests.clients.page import PAGE, QUESTION, snippet
from tests.clients.servers import environment
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
