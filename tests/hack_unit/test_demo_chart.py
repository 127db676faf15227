"""What the demo tells Helm (hack/demo/chart.py) and kubectl (hack/demo/kube.py)."""

from pathlib import Path

import pytest

from hack.demo.chart import Images, Release, may_own_crd, values
from hack.demo.kube import Kube
from tests.charts.rendering import objects

IMAGES = Images(
    operator="10.0.0.1:5000/q/operator:1a", server="10.0.0.1:5000/q/server:1b", server_cpu="q/server-cpu:1c"
)
RELEASE = Release("qwen-operator", "ns", ("default",), {"app": "demo"})


def test_the_values_are_split_at_the_tag_and_not_at_the_registrys_port() -> None:
    """A registry with a port has a colon too."""
    assert values(RELEASE, IMAGES, crds=True) == {
        "watchNamespaces": ["default"],
        "image": {"repository": "10.0.0.1:5000/q/operator", "tag": "1a"},
        "serverImages": {"gpu": "10.0.0.1:5000/q/server:1b", "cpu": "q/server-cpu:1c"},
        "weights": {"hubEndpoint": ""},
        "admissionPolicy": {"images": []},
        "crds": {"install": True},
        "labels": {"app": "demo"},
    }


def test_the_chart_takes_the_values() -> None:
    """Its schema forbids what it does not know, so a value renamed there fails here."""
    made = objects(values(RELEASE, IMAGES, crds=True))

    (deployment,) = [it for it in made if it["kind"] == "Deployment"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGES.operator


@pytest.mark.parametrize(("owner", "own"), [(("qwen-operator", "ns"), True), (("qwen-operator", "elsewhere"), False)])
def test_a_crd_of_another_release_is_left_to_it(*, owner: tuple[str, str], own: bool) -> None:
    """Helm would refuse the release, and with it the CRD would change hands."""
    name, namespace = owner
    notes = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}

    assert may_own_crd({"metadata": {"annotations": notes}}, RELEASE) is own
    assert may_own_crd(None, RELEASE) is True


def test_every_call_names_its_cluster() -> None:
    """The user's current context is never what decides."""
    kube = Kube("kubectl", "helm", Path("log"), kubeconfig=Path("/c"), context="staging")

    assert kube.kubectl_line("get", "pods") == ["kubectl", "--kubeconfig=/c", "--context=staging", "get", "pods"]
    assert kube.helm_line("list") == ["helm", "--kubeconfig=/c", "--kube-context=staging", "list"]
