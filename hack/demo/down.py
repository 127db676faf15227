"""`make demo-down`: removes what the demo made, and the cluster with it where it is ours."""

from hack.cluster.steps import Report, step
from hack.demo import chart, model
from hack.demo.kube import Kube
from hack.demo.places import Place
from hack.demo.up import EXAMPLE, RELEASE


def down(place: Place, report: Report) -> None:
    """Remove everything; what is gone already is no error."""
    place.log.parent.mkdir(parents=True, exist_ok=True)
    if not place.down(report):
        tidy(place.kube(), report)


def tidy(kube: Kube, report: Report) -> None:
    """On a cluster that stays: the model, the operator with its namespace, the claim with its weights, the CRD.

    The CRD goes only if the demo's release brought it, because with it every QwenModel of the cluster would go.
    """
    example = model.example(EXAMPLE)
    with step("QwenModel", report):
        if crd := kube.object("customresourcedefinition", chart.CRD, example.namespace):
            kube.delete("qwenmodel", example.name, example.namespace)
    with step("Operator", report):
        chart.uninstall(kube, RELEASE)
        kube.kubectl("delete", "namespace", RELEASE.namespace, "--ignore-not-found", seconds=180)
    with step("Claim", report):
        kube.delete("persistentvolumeclaim", example.claim, example.namespace)
    if crd and chart.may_own_crd(crd, RELEASE):
        with step("CustomResourceDefinition", report):
            kube.delete("customresourcedefinition", chart.CRD, example.namespace)
