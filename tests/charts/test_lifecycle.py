"""Install, upgrade, uninstall: by Helm's engine on a real API server, which has no node and needs none."""

import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from hack.cluster import binaries
from hack.cluster.api import Api, ApiError
from hack.cluster.control_plane import ControlPlane
from tests.charts.rendering import CHART, REQUIRED, Values, the_deployment

DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/qwenmodels.qwen-operator.io"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles/qwen-operator"
MODEL = "/apis/qwen-operator.io/v1alpha1/namespaces/team-a/qwenmodels/qwen3"
A_MODEL = {
    "apiVersion": "qwen-operator.io/v1alpha1",
    "kind": "QwenModel",
    "metadata": {"name": "qwen3"},
    "spec": {"model": {"uri": "pvc://models/Qwen3-8B"}},
}
SERVED = REQUIRED | {"watchNamespaces": ["team-a"]}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real API server with the namespaces that the tests speak of."""
    if not binaries.binaries().built:
        pytest.skip("no real API server: `make cluster` builds its binary")
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        for name in ("ops", "team-a", "team-b", "elsewhere"):
            labels = {"pod-security.kubernetes.io/enforce": "restricted"}
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            running.api.apply(f"/api/v1/namespaces/{name}", namespace)
        yield running


@pytest.fixture
def release(plane: ControlPlane) -> Iterator[helm.Config]:
    """Helm in the namespace ops, with the release qwen-operator installed."""
    with helm.Config(kubeconfig_path=plane.kubeconfig, namespace="ops") as config:
        config.install(CHART, "qwen-operator", SERVED)
        yield config
        config.uninstall("qwen-operator", ignore_not_found=True)


def is_there(api: Api, path: str) -> bool:
    """Whether the API server has an object."""
    try:
        api.get(path)
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


def chart_with(folder: Path, definition: dict[str, Any]) -> Path:
    """The chart's next version, which brings another definition."""
    copy = shutil.copytree(CHART, folder / "chart")
    (copy / "generated" / "crd.yaml").write_text(yaml.safe_dump(definition))
    return copy


def install_elsewhere(plane: ControlPlane, values: Values) -> None:
    """Install a second release beside the first."""
    with helm.Config(kubeconfig_path=plane.kubeconfig, namespace="elsewhere") as config:
        config.install(CHART, "second", values)


@pytest.mark.usefixtures("release")
def test_a_model_can_be_written_as_soon_as_the_chart_is_installed(plane: ControlPlane) -> None:
    """The definition comes with the release, and fills in what was left out."""
    assert plane.api.apply(MODEL, A_MODEL)["spec"]["device"] == "GPU"


@pytest.mark.usefixtures("release")
def test_the_api_server_admits_the_pod_where_the_restricted_profile_is_enforced(plane: ControlPlane) -> None:
    """Kubernetes' own judge, beside ours."""
    spec = the_deployment(SERVED)["spec"]["template"]["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}, "spec": spec}

    assert plane.api.apply("/api/v1/namespaces/ops/pods/operator", pod)["status"]["phase"] == "Pending"
    with pytest.raises(ApiError, match="violates PodSecurity"):
        plane.api.apply(
            "/api/v1/namespaces/ops/pods/loose",
            pod | {"metadata": {"name": "loose"}, "spec": spec | {"securityContext": {}}},
        )


def test_an_upgrade_brings_the_new_definition(plane: ControlPlane, release: helm.Config, tmp_path: Path) -> None:
    """Fields that a new version of the operator knows can be written at once."""
    definition = yaml.safe_load((CHART / "generated" / "crd.yaml").read_text())
    definition["spec"]["names"]["shortNames"].append("qwen")

    release.upgrade(chart_with(tmp_path, definition), "qwen-operator", SERVED)

    assert plane.api.get(DEFINITION)["spec"]["names"]["shortNames"] == ["qm", "qwen"]


def test_uninstalling_keeps_the_definition_and_the_models(plane: ControlPlane, release: helm.Config) -> None:
    """All else goes; the same release can be installed again and owns the definition as before."""
    plane.api.apply(MODEL, A_MODEL)

    release.uninstall("qwen-operator")

    assert is_there(plane.api, DEFINITION)
    assert is_there(plane.api, MODEL)
    assert not is_there(plane.api, ROLES.format("team-a"))
    assert not is_there(plane.api, "/apis/apps/v1/namespaces/ops/deployments/qwen-operator")
    assert release.install(CHART, "qwen-operator", SERVED)["status"] == "deployed"


def test_a_namespace_taken_off_the_list_loses_its_role(plane: ControlPlane, release: helm.Config) -> None:
    """And one put on it gets one, in the same upgrade."""
    release.upgrade(CHART, "qwen-operator", REQUIRED | {"watchNamespaces": ["team-b"]})

    assert not is_there(plane.api, ROLES.format("team-a"))
    assert is_there(plane.api, ROLES.format("team-b"))


@pytest.mark.usefixtures("release")
def test_a_second_release_cannot_take_the_definition(plane: ControlPlane) -> None:
    """It is told whose it is; the way out is crds.install=false."""
    with pytest.raises(helm.HelmError, match=r'CustomResourceDefinition.*current value is "qwen-operator"'):
        install_elsewhere(plane, REQUIRED)


def test_a_second_release_cannot_share_a_namespace(release: helm.Config) -> None:
    """Both operators would wait for one Lease."""
    values = REQUIRED | {"watchNamespaces": ["team-b"], "crds": {"install": False}}

    with pytest.raises(helm.HelmError, match='Role "qwen-operator-lease" in namespace "ops" exists'):
        release.install(CHART, "second", values)


@pytest.mark.usefixtures("release")
def test_a_second_release_cannot_serve_a_namespace_twice(plane: ControlPlane) -> None:
    """Two operators on one model would undo each other's work."""
    with pytest.raises(helm.HelmError, match='Role "qwen-operator" in namespace "team-a" exists'):
        install_elsewhere(plane, SERVED | {"crds": {"install": False}})


def test_a_namespace_that_does_not_exist_is_named(release: helm.Config) -> None:
    """Helm makes no namespace but the release's own."""
    with pytest.raises(helm.HelmError, match='namespaces "nowhere" not found'):
        release.upgrade(CHART, "qwen-operator", REQUIRED | {"watchNamespaces": ["team-a", "nowhere"]})
