"""The commands of docs/keys.md and docs/install.md, typed in order on a real cluster.

The shell is that of a user whose context names the namespace; images of the page are those of the ring. Nothing has to
run for them: the model is suspended.
"""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.plugin import environment
from tests.cluster.stage import Stage, eventually
from tests.pages import run_by

THIS = "tests/cluster/test_pages.py"
NAME = "qwen3"
MADE = ("pvc/house-models", "pod/filler", "secret/team-keys")

pytestmark = pytest.mark.skipif(bool(os.environ.get("CONTEXT")), reason="the context of that cluster stays as it is")


@pytest.fixture(scope="module")
def shell(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of a shell in a folder with a model, whose context names the namespace; takes away what was made."""
    home = tmp_path_factory.mktemp("home")
    (home / "Qwen3-8B").mkdir()
    (home / "Qwen3-8B/config.json").write_text("{}")
    config = home / "kubeconfig"
    config.write_text(stage.kube.text("config", "view", "--raw", "--flatten"))
    config.chmod(0o600)
    variables = {**environment(stage), "KUBECONFIG": str(config), "HOME": str(home)}
    done = typed(variables, f"kubectl config set-context --current --namespace={stage.namespace}")
    assert done.returncode == 0, done.stderr
    stage.apply(NAME, {"device": "CPU", "model": {"uri": "pvc://models/some"}, "suspend": True})
    eventually(lambda: stage.kube.object("secret", f"{NAME}-api-keys", stage.namespace), "the key Secret", 30)
    yield variables
    stage.kube.kubectl("delete", *MADE, f"--namespace={stage.namespace}", "--ignore-not-found")
    stage.delete(NAME)


def typed(variables: dict[str, str], script: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    """A block as a whole; the first command that fails ends it."""
    return subprocess.run(
        ["/bin/bash", "-e", "-o", "pipefail", "-c", script],
        env=variables,
        cwd=variables["HOME"],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def here(script: str, stage: Stage) -> str:
    """A block with the names of this cluster in the place of those that are for example."""
    image = re.sub(r"registry\.example\.com/qwen-operator/operator:\S+", stage.images.operator, script)
    return image.replace("--namespace qwen-operator", f"--namespace {stage.release.namespace}")


@pytest.mark.parametrize("page", ["docs/keys.md", "docs/install.md"])
def test_the_commands_of_a_page_end_well(stage: Stage, shell: dict[str, str], page: str) -> None:
    """Block after block, as its reader types them."""
    for block in run_by(page, THIS):
        done = typed(shell, here(block, stage))

        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def test_a_key_is_shown_once_and_stands_in_the_secret(stage: Stage, shell: dict[str, str]) -> None:
    """What the page promises of `create` and of `list`."""
    made = typed(shell, f"kubectl qwen keys create {NAME} carol").stdout.strip()
    listed = typed(shell, f"kubectl qwen keys list {NAME}").stdout
    data = (stage.kube.object("secret", "team-keys", stage.namespace) or {})["data"]

    assert len(made) > 20
    assert "carol" in listed
    assert made not in listed
    assert set(data) == {"alice", "carol"}
