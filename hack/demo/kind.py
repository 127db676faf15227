"""A cluster by kind, where Docker and kind are there: the command lines, and the three things done with them."""

from collections.abc import Sequence
from pathlib import Path

from hack.demo.command import found, run
from hack.demo.kube import Kube
from hack.demo.machine import LOCAL

NAME = "qwen-operator"
KUBECONFIG = LOCAL / "kind-kubeconfig"
REMEDY = "install it, or name a cluster with CONTEXT="


def list_line(kind: str) -> list[str]:
    """Print the names of the clusters that are there."""
    return [kind, "get", "clusters"]


def create_line(kind: str, kubeconfig: Path) -> list[str]:
    """Make the cluster and wait for its node."""
    return [kind, "create", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}", "--wait=180s"]


def export_line(kind: str, kubeconfig: Path) -> list[str]:
    """Write the kubeconfig of a cluster that an earlier run made."""
    return [kind, "export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={kubeconfig}"]


def load_line(kind: str, references: Sequence[str]) -> list[str]:
    """Copy images from Docker onto the node; those it has are skipped."""
    return [kind, "load", "docker-image", f"--name={NAME}", *references]


def delete_line(kind: str, kubeconfig: Path) -> list[str]:
    """Remove the cluster with everything on it; no error when it is not there."""
    return [kind, "delete", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}"]


def up(kubeconfig: Path, log: Path) -> Kube:
    """Make the cluster, or find the one of an earlier run."""
    kind = found("kind", REMEDY)
    there = NAME in run(list_line(kind), log).stdout.decode().split()
    run(export_line(kind, kubeconfig) if there else create_line(kind, kubeconfig), log, seconds=600)
    return Kube(found("kubectl", REMEDY), found("helm", REMEDY), log, kubeconfig=kubeconfig)


def load(references: Sequence[str], log: Path) -> None:
    """Bring images onto the node."""
    run(load_line(found("kind", REMEDY), references), log, seconds=900)


def down(kubeconfig: Path, log: Path) -> None:
    """Remove the cluster."""
    run(delete_line(found("kind", REMEDY), kubeconfig), log, seconds=300)
