"""What a release holds is valid Kubernetes, strictly, in every variant and on each release that is supported."""

import json

import kubernetes_validate
import pytest

from tests.charts.rendering import REQUIRED, VARIANTS, Manifest, Values, objects, of_kind, the_deployment

RELEASES = ["1.35", "1.36", "1.37"]
POLICY = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
FOREIGN = "monitoring.coreos.com/v1"
CLUSTER_SCOPED = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", *POLICY}
VARIANT = pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)


def identity(item: Manifest) -> tuple[str, str, str]:
    """An object's name in a cluster."""
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def of_all_variants() -> list[Manifest]:
    """Every different object that any variant holds; most of them occur in several."""
    found = [item for values in VARIANTS.values() for item in objects(values)]
    return list({json.dumps(item, sort_keys=True): item for item in found}.values())


@pytest.mark.parametrize("release", RELEASES)
def test_every_object_is_valid_by_the_strict_schema(release: str) -> None:
    """No unknown field, no wrong type; of the Prometheus operator's kinds Kubernetes has no schema."""
    for item in of_all_variants():
        if item["apiVersion"] != FOREIGN:
            assert kubernetes_validate.validate(item, release, strict=True) == release, identity(item)


@VARIANT
def test_no_object_is_sent_twice(values: Values) -> None:
    """Kind, namespace and name are unique in a release."""
    names = [identity(item) for item in objects(values)]

    assert len(names) == len(set(names))


@VARIANT
def test_every_namespaced_object_names_its_namespace(values: Values) -> None:
    """Nothing depends on the namespace that kubectl happens to point at."""

    assert [
        identity(i) for i in objects(values) if i["kind"] not in CLUSTER_SCOPED and not i["metadata"].get("namespace")
    ] == []


def test_by_default_the_definition_and_the_policy_are_all_that_is_cluster_scoped() -> None:
    """Both can be left out, so that nobody needs a right on the whole cluster to install the rest."""
    by_default = [item["kind"] for item in objects(REQUIRED) if "namespace" not in item["metadata"]]
    without = [item["kind"] for item in objects(VARIANTS["namespaced"]) if "namespace" not in item["metadata"]]

    assert by_default == [*POLICY, "CustomResourceDefinition"]
    assert without == []


def test_only_named_namespaces_are_touched() -> None:
    """The release's own, and those of watchNamespaces."""
    found = {item["metadata"].get("namespace", "") for item in objects(VARIANTS["namespaces"])}

    assert found == {"", "ops", "team-a", "team-b", "team-c"}


def test_a_release_has_no_hook() -> None:
    """Nothing runs in the cluster but the operator."""
    assert [item for item in objects(REQUIRED) if "helm.sh/hook" in item["metadata"].get("annotations", {})] == []


def test_extra_labels_and_annotations_reach_every_object() -> None:
    """An organisation's marks are on all of them, and never replace a label that something selects by."""
    for item in objects(VARIANTS["marks"]):
        assert item["metadata"]["labels"]["team"] == "serving"
        assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "qwen-operator"
        assert item["metadata"]["annotations"]["example.com/owner"] == "serving"


def test_the_deployment_selects_its_own_pods() -> None:
    """Also when a user sets labels of the same name."""
    spec = the_deployment(VARIANTS["marks"])["spec"]

    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_a_release_of_another_name_keeps_the_charts_name_in_its_objects() -> None:
    """Two releases in a namespace don't meet, and each object says what it belongs to."""
    [deployment] = of_kind(objects(REQUIRED, name="blue"), "Deployment")

    assert deployment["metadata"]["name"] == "blue-qwen-operator"
