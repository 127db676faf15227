"""docs/monitoring.md: how Prometheus and Grafana see models, and every alert of the chart. Holds headings, no facts."""

import re
from typing import Any

import yaml

from hack.generate import dashboard
from hack.generate.markdown import code, table

HEAD = """# Monitoring

Generated from the sources by `make generate`; never edit it by hand.

The chart has what the Prometheus operator and Grafana take, each switched on by itself:

<!-- run by tests/charts/test_monitoring.py -->
```sh
helm upgrade qwen-operator charts/qwen-operator --reuse-values --namespace qwen-system \\
  --set monitoring.podMonitors=true --set monitoring.rules=true --set monitoring.dashboard=true \\
  --set monitoring.labels.release=kube-prometheus-stack
```

`monitoring.labels` are those by which your Prometheus selects PodMonitors and PrometheusRules; kube-prometheus-stack
takes what bears its own release's name. One PodMonitor covers all models that the operator serves, those to come
included, and puts the label `qwenmodel` on X `app.kubernetes.io/managed-by=qwen-operator` and
`app.kubernetes.io/component=server`, and copy the pod's label `app.kubernetes.io/instance` into `qwenmodel`.
[metrics.md](metrics.md) lists every series.

"""


def document(alerts: str) -> str:
    """Return the page.

    :param alerts: the chart's alerts, YAML.
    """
    groups = yaml.safe_load(alerts)["groups"]
    titles = "".join(f"- {panel.title}\n" for panel in dashboard.PANELS)
    return f"{HEAD}# The dashboard\n\nOf all models or of those that you choose:\n\n{titles}" + "".join(
        map(chapter, groups)
    )


def chapter(group: dict[str, Any]) -> str:
    """Return one group of alerts as a table."""
    rows = table(("alert", "severity", "when", "what it says"), map(row, group["rules"]))
    return f"\n# Alerts of {group['name'].replace('qwen-', 'the ')}\n\n{rows}"


def row(rule: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return one alert."""
    lasting = f" for {rule['for']}" if "for" in rule else ""
    says = rule["annotations"]
    words = plain(f"{says['summary']} {says['description']}")
    return code(rule["alert"]), rule["labels"]["severity"], code(" ".join(rule["expr"].split())) + lasting, words


def plain(text: str) -> str:
    """Return a text with its variables as people write them."""
    return re.sub(r"\{\{ \$value.*?\}\}", "N", re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"`\1`", text))
