"""The command line: bad input is one sentence and exit status 2; `render` and `crd` need no cluster."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from qwen_operator.__main__ import main

MODEL = """
apiVersion: qwen-operator.io/v1alpha1
kind: QwenModel
metadata: {name: qwen3, namespace: team}
spec: {model: {uri: "pvc://weights/qwen3"}, device: CPU}
"""


def exit_status(*arguments: str) -> int:
    """The status that a command line exits with."""
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    return int(ending.value.code or 0)


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("--workers=none", "--workers must be a whole number from 1 to 256, not 'none'."),
        ("--metrics-port=70000", "--metrics-port must be a whole number from 0 to 65535, not '70000'."),
        ("--log-level=loud", "--log-level must be one of debug, info, warning, error, not 'loud'."),
        ("--log-format=xml", "--log-format must be one of plain, json, not 'xml'."),
    ],
)
def test_a_bad_flag_is_one_sentence(capsys: pytest.CaptureFixture[str], flag: str, sentence: str) -> None:
    """It names the flag and what it may be."""
    assert exit_status("run", flag) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_a_missing_kubeconfig_is_one_sentence() -> None:
    """In a process of its own, since it gets as far as an event loop."""
    command = [sys.executable, "-m", "qwen_operator", "run", "--kubeconfig=/nowhere/config"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.endswith("the kubeconfig /nowhere/config does not exist.\n")
    assert len(ended.stderr.splitlines()) == 1


def test_both_kinds_of_scope_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Some namespaces or all of them."""
    assert exit_status("run", "--all-namespaces", "--watch-namespaces=a,b") == 2
    assert "exclude each other" in capsys.readouterr().err


def test_a_setting_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable is the flag's name behind a prefix."""
    monkeypatch.setenv("QWEN_OPERATOR_WORKERS", "many")
    assert exit_status("run") == 2
    assert "--workers must be a whole number" in capsys.readouterr().err


def test_render_prints_the_children_in_the_order_they_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would be applied, as YAML; no key is made up."""
    path = tmp_path / "model.yaml"
    path.write_text(MODEL)
    assert exit_status("render", "-f", str(path), "--server-cpu-image=registry.example/server:1") == 0
    children = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [child["kind"] for child in children] == ["Secret", "NetworkPolicy", "Deployment", "Service"]
    assert "stringData" not in children[0]
    assert children[2]["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/server:1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind: Pod", "There is no QwenModel in it."),
        ("a: [", "This is no YAML"),
        (MODEL.replace("spec: {", "spec: {replicas: many, "), "spec.replicas"),
    ],
)
def test_render_says_what_is_wrong_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    """One sentence that names the file and the field."""
    path = tmp_path / "model.yaml"
    path.write_text(text)
    assert exit_status("render", "-f", str(path)) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert sentence in said


def test_a_missing_file_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """It names the file."""
    assert exit_status("render", "-f", "/nowhere/model.yaml") == 2
    assert "/nowhere/model.yaml cannot be read: No such file or directory." in capsys.readouterr().err


def test_crd_prints_the_definition(capsys: pytest.CaptureFixture[str]) -> None:
    """Ready for kubectl."""
    assert exit_status("crd") == 0
    assert yaml.safe_load(capsys.readouterr().out)["metadata"]["name"] == "qwenmodels.qwen-operator.io"
