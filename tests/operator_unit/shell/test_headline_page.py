"""docs/headline-model.md: each command prints what stands below it, from the model's config and list of tensors."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from qwen_operator.core.resource import parse
from tests.checkpoints import QWEN3_CODER_480B, quantized, written
from tests.hub import Hub, serving
from tests.pages import blocks, run_by

PAGE = "docs/headline-model.md"
THIS = "tests/operator_unit/shell/test_headline_page.py"
MODEL = "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8"
AS_KUBECTL_DOES = 'kubectl() { [ "$1" = qwen ] && shift && kubectl-qwen "$@"; }\n'
"""kubectl runs a program called kubectl-qwen; none is needed for a verb that needs no cluster."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that has the model, as far as anybody asks."""
    folder = written(tmp_path_factory.mktemp("hub"), quantized(QWEN3_CODER_480B), files=4)
    with serving(Hub({MODEL: folder})) as running:
        yield running


SHOWN = [(block.text, below.text) for block, below in pairwise(blocks(PAGE)) if block.test == THIS]


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_command_prints_what_stands_below_it(hub: Hub, tmp_path: Path, command: str, output: str) -> None:
    """To the last figure."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    home = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path), "COLUMNS": "100", "PATH": path}

    ended = subprocess.run(
        ["/bin/sh", "-c", AS_KUBECTL_DOES + command],
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.stderr == ""
    assert "\n".join(line.rstrip() for line in ended.stdout.splitlines()).strip() + "\n" == output


def test_every_command_that_is_marked_so_is_run() -> None:
    """With something below it."""
    assert [command for command, _ in SHOWN] == run_by(PAGE, THIS)


def test_the_resource_on_the_page_is_one() -> None:
    """As the operator reads it."""
    (manifest,) = (block.text for block in blocks(PAGE) if block.language == "yaml")
    body = yaml.safe_load(manifest)
    body["metadata"] |= {"uid": "1", "generation": 1}

    assert parse(body).spec.model.kv_cache_dtype == "FP8"
