"""The command line of `kubectl qwen` where no cluster is needed: render, completion, help."""

import argparse
import json
from pathlib import Path

import pytest
import yaml

from qwen_operator.__main__ import main as operator
from qwen_operator.cli import completion
from qwen_operator.cli.__main__ import main, parser

YES, NO, USAGE = range(3)
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def status(*arguments: str) -> int:
    """What `kubectl qwen` exits with."""
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    return int(ending.value.code or 0)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_render_shows_what_the_operator_itself_renders(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And above each object why it is made."""
    with pytest.raises(SystemExit):
        operator(["render", "-f", str(example)])
    expected = list(yaml.safe_load_all(capsys.readouterr().out))

    assert status("render", str(example)) == YES

    shown = capsys.readouterr().out
    reasons = [line for line in shown.splitlines() if line.startswith("# ")]
    assert list(yaml.safe_load_all(shown)) == expected
    assert len(reasons) == len(expected)
    assert all(" is made since " in reason for reason in reasons)


def test_render_tells_programs_the_reasons_too(capsys: pytest.CaptureFixture[str]) -> None:
    """As a list of objects with why."""
    status("render", str(EXAMPLES / "cpu.yaml"), "-o", "json")

    steps = json.loads(capsys.readouterr().out)
    assert {step["manifest"]["kind"] for step in steps} >= {"Secret", "Service"}
    assert all(step["why"].startswith(step["manifest"]["kind"]) for step in steps)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("kind: Pod", "There is no QwenModel in it."), ("{", "This is no YAML"), ("kind: QwenModel", "metadata")],
)
def test_a_file_that_cannot_be_rendered_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    """With the file's name in front."""
    file = tmp_path / "model.yaml"
    file.write_text(text)

    assert status("render", str(file)) == USAGE

    said = capsys.readouterr().err
    assert said.startswith(f"kubectl qwen: {file}: ")
    assert sentence in said


def test_a_file_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """As the system says it."""
    assert status("render", "/nowhere/model.yaml") == USAGE
    assert capsys.readouterr().err == "kubectl qwen: /nowhere/model.yaml can't be read: No such file or directory.\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wh"], ["why"]),
        (["keys", "r"], ["rotate", "revoke"]),
        (["config", "qwen3", "--for", "q"], ["qwen-code"]),
        (["status", "-o", ""], ["json", "yaml"]),
        (["status", "--wat"], ["--watch"]),
    ],
)
def test_words_are_completed_from_the_live_parser(
    monkeypatch: pytest.MonkeyPatch, words: list[str], expected: list[str]
) -> None:
    """Verbs, verbs of verbs, choices and flags."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")

    assert completion.candidates(words) == expected


def test_completion_without_a_cluster_is_empty_and_silent(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A person who presses a key wants no error."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")

    completion.main(["status", ""])

    assert capfd.readouterr() == (":4\n", "")


def verbs(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The verbs that have no verbs of their own."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in of._actions:  # noqa: SLF001  (there is no public way)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, each in action.choices.items():
                found |= verbs(each) or {name: each}
    return found


@pytest.mark.parametrize("verb", sorted(verbs(parser())))
def test_every_verb_lists_its_exit_statuses(verb: str) -> None:
    """Scripts branch on them."""
    shown = verbs(parser())[verb].format_help()

    assert "exit status:\n  0  " in shown
    assert "\n  2  the command can't be carried out as given" in shown
