"""The commands of `qwen-weights` that pages show, in order, against a hub that has the model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import run_by
from tests.weights_unit.hub_server import REPOSITORY, a_hub
from tests.weights_unit.models import model

THIS = "tests/weights_unit/test_pages.py"


@pytest.mark.parametrize("page", ["docs/weights.md", "docs/install.md"])
def test_the_commands_of_a_page_end_well(page: str, tmp_path: Path) -> None:
    """One after the other, in one folder."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    (script,) = run_by(page, THIS)
    assert "qwen-weights fetch hf://Qwen/Qwen3-8B" in " ".join(script.split())
    with a_hub(model()) as hub:
        ended = subprocess.run(
            ["/bin/sh", "-e", "-c", script.replace("Qwen/Qwen3-8B", REPOSITORY)],
            cwd=tmp_path,
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert ended.returncode == 0, ended.stdout + ended.stderr
