"""Takes away what a killed run of the ring left on the cluster, so that the next one starts clean."""

from hack.demo import chart
from hack.demo.kube import Kube
from tests.cluster.stage import PART_OF


def namespaces(kube: Kube) -> list[str]:
    """The namespaces that bear the ring's label."""
    names = kube.text("get", "namespaces", f"--selector={PART_OF}", "--output=jsonpath={.items[*].metadata.name}")
    return names.split()


def sweep(kube: Kube) -> None:
    """Remove them, and the CRD if one of their releases had brought it."""
    left = namespaces(kube)
    if not left:
        return
    crd = kube.object("customresourcedefinition", chart.CRD, "default")
    notes = (crd or {}).get("metadata", {}).get("annotations", {})
    kube.kubectl("delete", "namespace", *left, seconds=180)
    if notes.get("meta.helm.sh/release-namespace") in left:
        kube.delete("customresourcedefinition", chart.CRD, "default")
