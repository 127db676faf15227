"""Wrong values are refused before anything reaches a cluster, with a sentence that names the value."""

import json
from importlib.metadata import version
from typing import Any

import helm_python as helm
import pytest
import yaml

from tests.charts.rendering import CHART, REQUIRED, VARIANTS, Values, objects, texts

WRONG: dict[str, tuple[Values, str]] = {
    "unknown value": ({"watchNamespace": ["a"]}, "additional properties 'watchNamespace' not allowed"),
    "unknown value below": ({"image": {"name": "x"}}, "at '/image': additional properties 'name' not allowed"),
    "namespace not a list": ({"watchNamespaces": "a"}, "at '/watchNamespaces': got string, want array"),
    "namespace not a name": ({"watchNamespaces": ["A_b"]}, "at '/watchNamespaces/0': 'A_b' does not match pattern"),
    "namespace twice": ({"watchNamespaces": ["a", "a"]}, "at '/watchNamespaces': items at 0 and 1 are equal"),
    "switch as text": ({"clusterWide": "yes"}, "at '/clusterWide': got string, want boolean"),
    "tag as number": ({"image": {"tag": 5}}, "at '/image/tag': got number, want string"),
    "repository with tag": ({"image": {"repository": "r.example/o:1"}}, "at '/image/repository': 'r.example/o:1'"),
    "short digest": ({"image": {"digest": "sha256:abc"}}, "at '/image/digest': 'sha256:abc' does not match pattern"),
    "unknown policy": ({"image": {"pullPolicy": "Sometimes"}}, "at '/image/pullPolicy': value must be one of 'Always'"),
    "server without tag": ({"serverImages": {"gpu": "r.example:5000/s"}}, "at '/serverImages/gpu': 'r.example:5000/s'"),
    "pull secret as text": ({"imagePullSecrets": ["a"]}, "at '/imagePullSecrets/0': got string, want object"),
    "unknown log level": ({"logLevel": "loud"}, "at '/logLevel': value must be one of 'debug'"),
    "toleration misspelt": ({"tolerations": [{"keys": "a"}]}, "at '/tolerations/0': additional properties 'keys'"),
    "allowed place with a tag": (
        {"admissionPolicy": {"images": ["r.example/ai:1"]}},
        "at '/admissionPolicy/images/0': 'r.example/ai:1' does not match pattern",
    ),
    "no port of an API server": (
        {"networkPolicy": {"apiServerPorts": []}},
        "at '/networkPolicy/apiServerPorts': minItems: got 0, want 1",
    ),
    "label not text": ({"labels": {"a": 1}}, "at '/labels/a': got number, want string"),
    "no operator image": (
        {"image": {"repository": ""}},
        "image.repository is empty: push the images with 'make images",
    ),
    "no server image": ({"serverImages": {"gpu": ""}}, "serverImages.gpu is empty: push the images with 'make images"),
    "no CPU image": ({"serverImages": {"cpu": ""}}, "serverImages.cpu is empty: push the images with 'make images"),
    "two scopes": (
        {"clusterWide": True, "watchNamespaces": ["a"]},
        "watchNamespaces must be empty: remove one of the two.",
    ),
}


def laid_over(below: Values, above: Values) -> Values:
    """Values as helm lays --set over a file: objects are merged, the rest is replaced."""
    merged = {
        key: laid_over(below.get(key, {}), value) if isinstance(value, dict) else value for key, value in above.items()
    }
    return {**below, **merged}


def properties(schema: dict[str, Any], path: str = "values") -> list[tuple[str, dict[str, Any]]]:
    """Every property of a schema, at any depth, with its path."""
    below = schema.get("properties", {}) | schema.get("items", {}).get("properties", {})
    return [(path, schema), *(found for name, part in below.items() for found in properties(part, f"{path}.{name}"))]


SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


@pytest.mark.parametrize(("wrong", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_refused_by_name(wrong: Values, sentence: str) -> None:
    """The message names the value; nothing is rendered."""
    with pytest.raises(helm.HelmError) as refusal:
        objects(laid_over(REQUIRED, wrong))

    assert sentence in str(refusal.value)


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
def test_lint_has_nothing_to_say_against_a_variant(values: Values) -> None:
    """Neither an error nor a warning; a missing icon is none."""
    report = helm.lint(CHART, values, strict=True)

    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize(("path", "part"), properties(SCHEMA), ids=lambda part: part if isinstance(part, str) else "")
def test_every_value_is_described_and_every_object_is_closed(path: str, part: dict[str, Any]) -> None:
    """An object either names its properties and no other, or is a map with typed entries."""
    assert part["description"].endswith("."), path
    if part.get("type") == "object" and "properties" in part:
        assert part["additionalProperties"] is False, path


def test_the_defaults_in_the_file_are_those_of_the_schema() -> None:
    """values.yaml is what helm reads, the schema is what people and the reference page read."""
    written = yaml.safe_load((CHART / "values.yaml").read_text())

    for path, part in properties(SCHEMA):
        found: Any = written
        for name in path.split(".")[1:]:
            found = found.get(name) if isinstance(found, dict) else None
        if "default" in part:
            assert found == part["default"], path


def test_the_chart_bears_the_version_of_the_wheel() -> None:
    """The default tag of the image is the version that is installed."""
    with helm.Chart.load(CHART) as chart:
        metadata = chart.metadata

    assert (metadata["version"], metadata["appVersion"]) == (version("qwen-operator"),) * 2


def test_the_notes_warn_when_no_namespace_is_named() -> None:
    """Else a QwenModel in another namespace would wait for ever, with nobody to say why."""
    assert "WARNING: watchNamespaces is empty" in texts(REQUIRED)["NOTES.txt"]
    assert "WARNING" not in texts(VARIANTS["namespaces"])["NOTES.txt"]
    assert "WARNING" not in texts(VARIANTS["cluster_wide"])["NOTES.txt"]


@pytest.mark.parametrize(
    ("variant", "namespace"), [("least", "ops"), ("namespaces", "team-a"), ("cluster_wide", "default")]
)
def test_the_notes_lead_from_a_model_to_an_answer(variant: str, namespace: str) -> None:
    """Apply, wait, key, port-forward: in this order, in a namespace that is served."""
    notes = texts(VARIANTS[variant])["NOTES.txt"]
    commands = [f"kubectl --namespace {namespace} {verb}" for verb in ("apply", "wait", "get secret", "port-forward")]
    places = [notes.find(command) for command in commands]

    assert -1 not in places
    assert places == sorted(places)


def test_the_model_in_the_notes_is_one_that_the_definition_accepts() -> None:
    """The here-document is YAML of the right kind with the one required field."""
    notes = texts(REQUIRED)["NOTES.txt"]
    model = yaml.safe_load(notes.split("<<'EOF'\n")[1].split("  EOF\n")[0])

    assert model["kind"] == "QwenModel"
    assert model["spec"] == {"model": {"uri": "pvc://models/Qwen3-8B"}}
