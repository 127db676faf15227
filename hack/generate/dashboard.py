"""The Grafana dashboard of the chart: one table of panels, each with what it asks Prometheus. Holds no series' meaning.

Panels and targets are as Grafana 10 and later read them (schema version 39).
"""

import json
from dataclasses import dataclass
from typing import Any

CHOSEN = 'namespace=~"$namespace", qwenmodel=~"$qwenmodel"'
"""Which models a person looks at; the labels are those of the chart's PodMonitor."""
BY_MODEL = "namespace, qwenmodel"
WIDTH, HEIGHT = 8, 7
COLUMNS = 3
DATASOURCE = {"type": "prometheus", "uid": "$datasource"}


@dataclass(frozen=True)
class Panel:
    """One picture: each query with its legend, in a unit of Grafana's."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    description: str = ""


def quantile(share: float, series: str) -> str:
    """The query for a share of a histogram's observations."""
    rate = f"rate({series}_bucket{{{CHOSEN}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({BY_MODEL}, le) ({rate}))"


def rate(series: str, by: str = BY_MODEL, more: str = "") -> str:
    """The query for a counter's rate, in units a second."""
    return f"sum by ({by}) (rate({series}{{{CHOSEN}{more}}}[$__rate_interval]))"


def level(series: str, function: str = "sum") -> str:
    """The query for a gauge, of all replicas together."""
    return f"{function} by ({BY_MODEL}) ({series}{{{CHOSEN}}})"


def quantiles(series: str) -> tuple[tuple[str, str], ...]:
    """The middle and the slow end of a histogram."""
    return tuple(
        (quantile(share, series), f"{{{{qwenmodel}}}} {name}") for share, name in ((0.5, "p50"), (0.95, "p95"))
    )


MODEL = "{{qwenmodel}}"
PANELS = (
    Panel("Requests", "reqps", ((rate("qwen_server_requests_total", "qwenmodel, status"), f"{MODEL} {{{{status}}}}"),)),
    Panel("Time to the first token", "s", quantiles("qwen_server_first_output_seconds"), "Of streams."),
    Panel("Time to the last token", "s", quantiles("qwen_server_request_seconds")),
    Panel(
        "Tokens", "short", ((rate("qwen_server_tokens_total", "qwenmodel, kind"), f"{MODEL} {{{{kind}}}} a second"),)
    ),
    Panel("Time between tokens", "s", quantiles("vllm:inter_token_latency_seconds")),
    Panel(
        "In the engine",
        "short",
        (
            (level("vllm:num_requests_running"), f"{MODEL} running"),
            (level("vllm:num_requests_waiting"), f"{MODEL} waiting"),
        ),
    ),
    Panel(
        "KV cache in use",
        "percentunit",
        ((level("vllm:kv_cache_usage_perc", "max"), MODEL),),
        "Of the fullest replica.",
    ),
    Panel(
        "Prompt tokens found in the cache",
        "percentunit",
        ((f"{rate('vllm:prefix_cache_hits_total')} / {rate('vllm:prefix_cache_queries_total')}", MODEL),),
    ),
    Panel("Requests put back for want of cache", "reqps", ((rate("vllm:num_preemptions_total"), MODEL),)),
    Panel(
        "Answers that ended early",
        "reqps",
        ((rate("qwen_server_interrupted_total", "qwenmodel, reason"), f"{MODEL} {{{{reason}}}}"),),
    ),
    Panel(
        "Tokens by key",
        "short",
        ((rate("qwen_server_tokens_total", "key"), "{{key}} a second"),),
        "Keys by their names.",
    ),
    Panel("Valid keys", "short", ((level("qwen_server_keys", "min"), MODEL),)),
)


def document() -> str:
    """Return the dashboard as JSON."""
    dashboard = {
        "title": "Qwen models",
        "uid": "qwen-models",
        "tags": ["qwen-operator"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                _datasource(),
                _variable("namespace", "qwen_server_info"),
                _variable("qwenmodel", 'qwen_server_info{namespace=~"$namespace"}'),
            ]
        },
        "panels": [_drawn(number, panel) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(dashboard, indent=1) + "\n"


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _variable(label: str, series: str) -> dict[str, Any]:
    query = {"query": f"label_values({series}, {label})", "refId": label}
    many = {"multi": True, "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return {"name": label, "type": "query", "datasource": DATASOURCE, "query": query, "refresh": 2, "sort": 1, **many}


def _drawn(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": query, "legendFormat": legend}
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }
