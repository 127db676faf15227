"""`make demo-down`: removes what the demo made, and the cluster with it where it is ours."""

from hack.cluster.steps import Report, step
from hack.demo import chart, model, ownership
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

    Of these only what the demo made.
    """
    example = model.example(EXAMPLE)
    with step("QwenModel", report) as now:
        there = ownership.living(kube, example) is not None
        now.detail(ownership.remove(kube, "qwenmodel", example.name, example.namespace) if there else "none is there")
    with step("Operator", report) as now:
        if chart.is_installed(kube, RELEASE, RELEASE.labels):
            chart.uninstall(kube, RELEASE)
        now.detail(f"namespace {ownership.remove(kube, 'namespace', RELEASE.namespace, RELEASE.namespace)}")
    with step("Claim", report) as now:
        now.detail(ownership.remove(kube, "persistentvolumeclaim", example.claim, example.namespace))
    with step("CustomResourceDefinition", report) as now:
        now.detail(remove_crd(kube, example.namespace))


def remove_crd(kube: Kube, namespace: str) -> str:
    """Remove the CRD if the demo brought it and nobody has models, which would go with it."""
    crd = kube.object("customresourcedefinition", chart.CRD, namespace)
    if crd and kube.text("get", "qwenmodels", "--all-namespaces", "--output=name").strip():
        return "stays, because there are QwenModels"
    return ownership.remove(kube, "customresourcedefinition", chart.CRD, namespace)
