"""What a failed test of the cluster ring leaves behind (tests/cluster/evidence.py, tests/cluster/conftest.py)."""

from pathlib import Path

import pytest

from hack.demo.chart import Images, Release
from hack.demo.errors import DemoError
from hack.demo.ground import Ground
from hack.demo.kube import Kube
from tests.cluster import evidence
from tests.cluster.conftest import standing
from tests.cluster.stage import Stage

NO_IMAGES = Images(operator="a/operator:1", server="a/server:1", server_cpu="a/server-cpu:1")


def program(path: Path, script: str) -> str:
    """A program in the place of kubectl or helm."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_cluster_that_does_not_answer_is_evidence_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error here would end the whole session instead of one test."""
    monkeypatch.setattr(evidence, "FOLDER", tmp_path / "e2e")
    broken = program(tmp_path / "kubectl", "echo 'connection refused' >&2; exit 1")
    stage = Stage(Kube(broken, broken, tmp_path / "log"), NO_IMAGES, Release("r", "n", ()), "n")

    place = evidence.collect(stage, "a test")

    assert "connection refused" in (place / "pods.txt").read_text()
    assert list(place.glob("pod-*")) == []


def test_a_failed_installation_leaves_no_namespace(tmp_path: Path) -> None:
    """The CRD was not brought yet, so asking for models would fail; the namespaces go all the same."""
    calls = tmp_path / "calls"
    kubectl = program(tmp_path / "kubectl", f'echo "$@" >> {calls}; case "$*" in *qwenmodels\\ --all*) exit 1;; esac')
    helm = program(tmp_path / "helm", f'echo "$@" >> {calls}; case "$*" in *upgrade*) exit 1;; esac')
    cluster = Ground(Kube(kubectl, helm, tmp_path / "log"), NO_IMAGES, tmp_path)

    with pytest.raises(DemoError, match="upgrade"), standing(cluster):
        pytest.fail("it was not installed")

    called = calls.read_text().splitlines()
    assert called[-1].startswith("delete namespace qwen-e2e-")
