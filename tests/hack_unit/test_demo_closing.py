"""The last page of a demo (hack/demo/closing.py), and what is said instead of a traceback (hack/demo/__main__.py)."""

from pathlib import Path

import pytest

from hack.cluster.steps import State, Step
from hack.demo import closing, figures, proof
from hack.demo.__main__ import failure
from hack.demo.board import Ledger
from hack.demo.kube import Kube
from hack.demo.machine import ROOT
from hack.demo.model import Example

EXAMPLE = Example(Path("examples/cpu.yaml"), "qwen3", "default", "models", "folder")
OWN = Kube(f"{ROOT}/.local/cluster/bin/kubectl", "helm", Path("log"), kubeconfig=Path("/c/kubeconfig"))


def test_the_way_to_use_it_can_be_pasted_line_by_line() -> None:
    """PATH and KUBECONFIG first, then the key, then a question."""
    lines = closing.usage(OWN, EXAMPLE).splitlines()

    assert lines[:3] == [
        f"export PATH={ROOT}/.local/cluster/bin:$PATH",
        "export KUBECONFIG=/c/kubeconfig",
        "kubectl get qm",
    ]
    assert "kubectl port-forward service/qwen3 8000 &" in lines
    assert any("base64 -d" in line for line in lines)
    assert '"model": "qwen3"' in lines[-1]


def test_a_named_cluster_is_used_by_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of this checkout is on the PATH then, and the way back names it too."""
    named = Kube("/usr/bin/kubectl", "helm", Path("log"), context="staging")

    assert closing.usage(named, EXAMPLE).splitlines()[0] == "kubectl config use-context staging"

    closing.show((), named, EXAMPLE)
    assert "`make demo-down CONTEXT=staging` removes all of it." in capsys.readouterr().out


def test_the_page_shows_evidence_and_figures_with_their_limits(capsys: pytest.CaptureFixture[str]) -> None:
    """A missed limit is marked, a line that was not measured is left out."""
    found = (proof.Finding("chats", "It is Paris.", 1.2, holds=True),)
    figure = closing.measured({figures.READY: 61.0})

    closing.show((closing.findings("Here", found), figure), OWN, EXAMPLE)
    text = " ".join(capsys.readouterr().out.split())

    assert "✓ chats 1.2 s It is Paris." in text
    assert "✗ QwenModel applied → Ready, image and weights on the node 1 min 01 s 1 min 00 s" in text
    assert "operator memory" not in text
    assert "`make demo-down` removes all of it." in text


def test_a_failure_names_the_step_the_reason_and_the_log() -> None:
    """One sentence a person can act on, and where to read more."""
    ledger = Ledger()
    ledger(Step("Cluster", State.DONE, "", 1.0))
    ledger(Step("Images", State.FAILED, "", 1.0))

    said = failure("No space is left.", ledger)

    assert said.startswith("Images: No space is left.\nLogs: ")


def test_what_goes_wrong_before_any_step_is_said_alone() -> None:
    """There is no log to look into yet."""
    assert failure("Another run is under way.", Ledger()) == "Another run is under way."
