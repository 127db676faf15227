"""What the chart gives Prometheus and Grafana: it finds the pods that there are, and asks for series that there are.

Which alert fires when is tried with Prometheus' own program in `tests/cluster/test_alerts.py`.
"""

import json
import re
from typing import Any

import pytest
import yaml

from qwen_operator.core.desired.deployment import deployment
from qwen_operator.core.serving import serving
from tests import builders
from tests.charts import promql
from tests.charts.rendering import REQUIRED, ROOT, VARIANTS, Manifest, Values, objects, of_kind, the_deployment

GIVEN = {"namespace", "pod", "job", "qwenmodel"}
"""Labels that Prometheus adds to each series of a pod that a PodMonitor found; the last one is the chart's."""
ROW = re.compile(r"^\| `([\w:]+)` \| (\w+) \| \w* \| ([^|]*) \|", re.MULTILINE)
MONITORING = VARIANTS["monitoring"]


def shown() -> dict[str, set[str]]:
    """The labels of every series that can be asked for, by its name."""
    found = {"up": set[str]()}
    for name, kind, labels in ROW.findall((ROOT / "docs/metrics.md").read_text()):
        names = [name] if kind != "histogram" else [f"{name}{part}" for part in ("_bucket", "_sum", "_count")]
        found |= {each: {*re.findall(r"`(\w+)`", labels), *(["le"] if kind == "histogram" else [])} for each in names}
    return found


def rules(values: Values) -> list[Manifest]:
    """The alerts of a release."""
    [rule] = of_kind(objects(values), "PrometheusRule")
    return [each for group in rule["spec"]["groups"] for each in group["rules"]]


def dashboard(values: Values) -> dict[str, Any]:
    """The dashboard of a release."""
    [found] = [item for item in of_kind(objects(values), "ConfigMap") if item["metadata"]["name"].endswith("dashboard")]
    parsed: dict[str, Any] = json.loads(found["data"]["qwen-models.json"])
    return parsed


ALERTS = {rule["alert"]: rule for rule in rules(MONITORING)}
QUERIES = {
    f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "5m")
    for panel in dashboard(MONITORING)["panels"]
    for target in panel["targets"]
}
EXPRESSIONS = {name: rule["expr"] for name, rule in ALERTS.items()} | QUERIES


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_query_asks_for_series_and_labels_that_are_shown(expression: str) -> None:
    """By docs/metrics.md, which is generated from where series are declared."""
    known = shown()
    series = promql.selected(expression)

    assert series
    assert [each.name for each in series if each.name not in known] == []
    assert [each for each in series if each.labels - known[each.name] - GIVEN] == []
    assert promql.grouped(expression) <= GIVEN.union(*(known[each.name] for each in series))


@pytest.mark.parametrize("rule", ALERTS.values(), ids=ALERTS)
def test_an_alert_names_what_is_wrong_and_what_to_do(rule: Manifest) -> None:
    """Its texts use labels that its query keeps; an alert without a namespace could not be followed."""
    texts = " ".join(rule["annotations"].values())
    used = set(re.findall(r"\$labels\.(\w+)", texts))
    kept = promql.grouped(rule["expr"]) or GIVEN

    assert used <= kept
    assert "namespace" in used or "absent" in rule["expr"]
    assert rule["labels"]["severity"] in {"critical", "warning"}


def test_replicas_are_found_by_their_labels_and_their_port() -> None:
    """In the namespaces that the operator serves, or in all; weights' Jobs show no metrics and are left out."""
    model = builders.a_model()
    pod = deployment(model, serving(model, builders.SETTINGS))["spec"]["template"]
    _, monitor = of_kind(objects(MONITORING), "PodMonitor")
    wide = of_kind(objects(REQUIRED | {"clusterWide": True, "monitoring": {"podMonitors": True}}), "PodMonitor")[1]
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert endpoint["port"] in [port["name"] for port in pod["spec"]["containers"][0]["ports"]]
    assert endpoint["relabelings"][0]["targetLabel"] == "qwenmodel"
    assert pod["metadata"]["labels"]["app.kubernetes.io/instance"] == model.metadata.name
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["team-a", "team-b"]}
    assert wide["spec"]["namespaceSelector"] == {"any": True}


def test_the_operator_is_found_by_its_labels_and_its_port() -> None:
    """In its own namespace."""
    pod = the_deployment(MONITORING)["spec"]["template"]
    monitor, _ = of_kind(objects(MONITORING), "PodMonitor")

    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] in [
        port["name"] for port in pod["spec"]["containers"][0]["ports"]
    ]


def test_each_object_bears_the_labels_by_which_a_prometheus_selects() -> None:
    """And the dashboard that by which Grafana's sidecar does."""
    without = {json.dumps(item, sort_keys=True) for item in objects(MONITORING | {"monitoring": {}})}
    added = [item for item in objects(MONITORING) if json.dumps(item, sort_keys=True) not in without]

    assert sorted(item["kind"] for item in added) == ["ConfigMap", "PodMonitor", "PodMonitor", "PrometheusRule"]
    assert {item["metadata"]["labels"]["release"] for item in added} == {"kube-prometheus-stack"}
    assert [item for item in added if item["metadata"]["labels"].get("grafana_dashboard") == "1"] == [
        item for item in added if item["kind"] == "ConfigMap"
    ]


def test_the_page_switches_all_of_it_on() -> None:
    """By the values that docs/monitoring.md tells."""
    told = dict(re.findall(r"--set monitoring\.(\S+)=(\S+)", (ROOT / "docs/monitoring.md").read_text()))
    label = {"release": told.pop("labels.release")}
    found = objects(
        REQUIRED | {"monitoring": {name: value == "true" for name, value in told.items()} | {"labels": label}}
    )

    kinds = sorted(item["kind"] for item in found if label.items() <= item["metadata"]["labels"].items())
    assert kinds == ["ConfigMap", "PodMonitor", "PodMonitor", "PrometheusRule"]


def test_nothing_of_it_is_made_unless_asked() -> None:
    """Their kinds need not be in the cluster."""
    assert [item for item in objects(REQUIRED) if "monitoring" in item["apiVersion"]] == []
    assert [item for item in objects(REQUIRED) if "dashboard" in item["metadata"]["name"]] == []


def test_the_variables_of_the_dashboard_are_those_of_its_queries() -> None:
    """Both lists name what the alerts' labels name."""
    variables = {each["name"] for each in dashboard(MONITORING)["templating"]["list"]}

    assert {name for query in QUERIES.values() for name in re.findall(r"\$(\w+)", query)} <= variables
    assert yaml.safe_load((ROOT / "charts/qwen-operator/monitoring/alerts.yaml").read_text())["groups"]
