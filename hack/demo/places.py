"""Where the demo may run: our own cluster, one made by kind, or one that a kubeconfig context names.

Each place brings its cluster up, brings images to it, and removes it if it is ours to remove.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hack.cluster import lifecycle
from hack.cluster.layout import cluster_layout
from hack.cluster.network import REGISTRY
from hack.cluster.steps import Report, step
from hack.demo import delivery, kind
from hack.demo.chart import Images
from hack.demo.command import found
from hack.demo.kube import Kube
from hack.demo.machine import Machine
from hack.demo.preflight import Plan, uses_kind

NAMED_REMEDY = "install it to use a cluster of yours"


class Place(Protocol):
    """What the steps need of a place."""

    @property
    def log(self) -> Path:
        """Where the programs' words go."""

    def kube(self) -> Kube:
        """kubectl and helm for this place's cluster, up or not."""

    def up(self, report: Report) -> Kube:
        """Bring the cluster up, or find it up."""

    def images(self, report: Report) -> Images:
        """Build the images and bring them where the nodes find them."""

    def down(self, report: Report) -> bool:
        """Remove the cluster if it is ours; False if it is not, and the demo must tidy up on it."""


@dataclass(frozen=True)
class OwnCluster:
    """The one-node Kubernetes of hack.cluster, with its registry."""

    log: Path

    def kube(self) -> Kube:
        """Its tools come with it."""
        layout = cluster_layout()
        return Kube(str(layout.bin / "kubectl"), str(layout.bin / "helm"), self.log, kubeconfig=layout.kubeconfig)

    def up(self, report: Report) -> Kube:
        """Its steps appear among the demo's."""
        lifecycle.up(report)
        return self.kube()

    def images(self, report: Report) -> Images:
        """Layers that the registry has are not pushed again."""
        images = delivery.pushed(REGISTRY, report, docker=False)
        delivery.fetch(self.kube(), images, report)
        return images

    def down(self, report: Report) -> bool:
        """It goes with everything in it."""
        lifecycle.down(report)
        return True


@dataclass(frozen=True)
class KindCluster:
    """A cluster in Docker."""

    log: Path
    kubeconfig: Path

    def kube(self) -> Kube:
        """kubectl and helm are the machine's own."""
        return Kube(found("kubectl", kind.REMEDY), found("helm", kind.REMEDY), self.log, kubeconfig=self.kubeconfig)

    def up(self, report: Report) -> Kube:
        """Make it, or find the one of an earlier run."""
        with step("Cluster", report) as now:
            kind.up(self.kubeconfig, self.log)
            now.detail(f"kind cluster {kind.NAME}")
        return self.kube()

    def images(self, report: Report) -> Images:
        """From Docker onto the node."""
        images = delivery.built(report)
        with step("Images on the node", report) as now:
            kind.load([images.operator, images.server_cpu], self.log)
            now.detail("loaded by kind")
        return images

    def down(self, report: Report) -> bool:
        """It goes with everything in it."""
        with step("Cluster down", report):
            kind.down(self.kubeconfig, self.log)
        return True


@dataclass(frozen=True)
class NamedCluster:
    """A cluster of the user's, which pulls from a registry of the user's."""

    log: Path
    context: str
    registry: str

    def kube(self) -> Kube:
        """kubectl and helm are the machine's own, and so is the kubeconfig."""
        kubectl, helm = found("kubectl", NAMED_REMEDY), found("helm", NAMED_REMEDY)
        return Kube(kubectl, helm, self.log, context=self.context)

    def up(self, report: Report) -> Kube:
        """See that it answers."""
        kube = self.kube()
        with step("Cluster", report) as now:
            kube.kubectl("get", "--raw=/readyz", seconds=30)
            now.detail(f"context {self.context} answers")
        return kube

    def images(self, report: Report) -> Images:
        """Pushed with the credentials that this machine has."""
        return delivery.pushed(self.registry, report)

    def down(self, report: Report) -> bool:  # noqa: ARG002 - there is nothing to report
        """The user's cluster stays."""
        return False


def place(machine: Machine, plan: Plan, folder: Path) -> Place:
    """The place for a plan; what goes on there is logged in the folder."""
    log = folder / "commands.log"
    if plan.context is not None:
        return NamedCluster(log, plan.context, plan.registry or "")
    if uses_kind(machine, plan):
        return KindCluster(log, kind.KUBECONFIG)
    return OwnCluster(log)
