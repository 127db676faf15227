"""The chart brings the CustomResourceDefinition, keeps it up to date, and never takes it away."""

from typing import Any

import helm_python as helm
import pytest
import yaml

from tests.charts.rendering import CHART, REQUIRED, ROOT, VARIANTS, Manifest, Values, objects, of_kind


def shipped() -> Manifest:
    """The CustomResourceDefinition as the repository holds it."""
    text = (ROOT / "crds" / "qwen-operator.io_qwenmodels.yaml").read_text()
    return dict(yaml.safe_load(text))


def definition(values: Values) -> Manifest:
    """The CustomResourceDefinition of a release."""
    [found] = of_kind(objects(values), "CustomResourceDefinition")
    return found


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in ("crds_off", "namespaced")])
def test_the_chart_brings_the_definition_of_the_repository(variant: str) -> None:
    """Word for word: nothing is lost on the way through the template."""
    brought, wanted = definition(VARIANTS[variant]), shipped()

    assert brought["metadata"].pop("name") == wanted["metadata"]["name"]
    assert brought | {"metadata": wanted["metadata"]} == wanted


def test_the_definition_stays_on_uninstall() -> None:
    """With it every QwenModel in the cluster would go."""
    annotations: dict[str, Any] = definition(REQUIRED)["metadata"]["annotations"]

    assert annotations["helm.sh/resource-policy"] == "keep"


def test_the_definition_is_upgraded_with_the_chart() -> None:
    """It is an object of the release: Helm never upgrades what lies in a folder called crds."""
    with helm.Chart.load(CHART) as chart:
        assert chart.crds == []


def test_the_definition_can_be_left_out() -> None:
    """For a second release, or where somebody else installs it."""
    assert of_kind(objects(VARIANTS["crds_off"]), "CustomResourceDefinition") == []
