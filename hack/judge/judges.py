"""The judges, each as a program that is run and a report that is read."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hack.judge.findings import Finding
from tests.builders import GOLDEN
from tests.charts.rendering import ROOT, VARIANTS, objects

BIN = ROOT / ".venv-judge/bin"
CODE = ("operator", "server", "hack")


class NoVerdict(Exception):  # noqa: N818  (a sentence for whoever runs it)
    """A judge did not come to an end."""


def hadolint() -> Iterator[Finding]:
    """The Dockerfile, by the rules of .hadolint.yaml."""
    for each in _report("hadolint", "--format", "json", "Dockerfile"):
        yield Finding("hadolint", each["code"], each["file"], each["message"])


def bandit() -> Iterator[Finding]:
    """The code, from medium severity on; what is below, ruff's rules S look at."""
    report = _report("bandit", "--quiet", "--recursive", *CODE, "--severity-level", "medium", "--format", "json")
    for each in report["results"]:
        yield Finding("bandit", each["test_id"], each["filename"].removeprefix("./"), each["issue_text"])


def policy_guard() -> Iterator[Finding]:
    """Every object of the chart in every variant, and every child of every example, by the restricted profile."""
    with tempfile.TemporaryDirectory() as folder:
        manifests, report = Path(folder) / "manifests", Path(folder) / "report.json"
        manifests.mkdir()
        for name, text in _manifests().items():
            (manifests / name).write_text(text)
        _run(
            "policy-guard", "scan", "--level", "restricted", "--format", "json", "--output", str(report), str(manifests)
        )
        for each in json.loads(report.read_text())["violations"]:
            yield Finding("policy-guard", each["rule_id"], each["resource"], each["message"])


def _manifests() -> dict[str, str]:
    chart = {
        f"chart-{name}.yaml": yaml.safe_dump_all(
            item for item in objects(values) if item["kind"] != "CustomResourceDefinition"
        )
        for name, values in VARIANTS.items()
    }
    return chart | {path.name: path.read_text() for path in (GOLDEN / "children").glob("*.yaml")}


ALL = (hadolint, bandit, policy_guard)


def _report(program: str, *arguments: str) -> Any:
    try:
        return json.loads(_run(program, *arguments))
    except json.JSONDecodeError as error:
        raise NoVerdict(f"{program} gave no report: {error}.") from error


def _run(program: str, *arguments: str) -> str:
    """Return standard output. Judges end with 1 where they found something."""
    ended = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):
        raise NoVerdict(f"{program} failed with status {ended.returncode}: {ended.stderr.strip()[-300:]}")
    return ended.stdout
