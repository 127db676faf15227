"""The table of generated files: each path with the source that says what it holds. Reads sources, writes nothing."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from hack.generate import admission, dashboard, metrics, monitoring, reference, rules, troubleshooting, values
from qwen_operator import crd
from qwen_operator.rendering import Plain
from qwen_server.openapi import document as openapi

CHART = "charts/qwen-operator"
SCHEMA = f"{CHART}/values.schema.json"


def all_documents(root: Path) -> dict[str, str]:
    """Return the text of every generated file by its path below root."""
    definition = crd.document()
    schema, alerts = (root / SCHEMA).read_text(), (root / CHART / "monitoring/alerts.yaml").read_text()
    sources: dict[str, Callable[[], str]] = {
        "crds/qwen-operator.io_qwenmodels.yaml": lambda: _yaml("operator/qwen_operator/core/resource", definition),
        f"{CHART}/generated/admission.yaml": lambda: _yaml("hack/generate/admission.py", admission.document()),
        f"{CHART}/generated/crd.yaml": lambda: _yaml("operator/qwen_operator/core/resource", definition),
        f"{CHART}/generated/rules.yaml": lambda: _yaml("operator/qwen_operator/core/kinds.py", rules.document()),
        f"{CHART}/generated/dashboard.json": dashboard.document,
        f"{CHART}/values.yaml": lambda: values.document(schema),
        "docs/metrics.md": metrics.document,
        "docs/monitoring.md": lambda: monitoring.document(alerts),
        "docs/openapi.json": lambda: openapi.text(version("qwen-operator")),
        "docs/reference.md": lambda: reference.document(definition, schema),
        "docs/troubleshooting.md": troubleshooting.document,
    }
    return {path: text() for path, text in sources.items()}


def _yaml(source: str, document: dict[str, Any]) -> str:
    """Return a document as YAML, in the order of its source, below a line that names the source."""
    body = yaml.dump(document, Dumper=Plain, sort_keys=False, width=120, allow_unicode=True)
    return f"# Generated from {source} by `make generate`.\n{body}"
