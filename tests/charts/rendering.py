"""The chart as a user gets it: values in, objects out. Never reads a template's text."""

from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "qwen-operator"

Manifest = dict[str, Any]
Values = dict[str, Any]

REQUIRED: Values = {
    "image": {"repository": "registry.example/qwen-operator/operator"},
    "serverImages": {
        "gpu": "registry.example:5000/qwen-operator/server:0123abcd",
        "cpu": "registry.example:5000/qwen-operator/server-cpu@sha256:" + "a" * 64,
    },
}
"""The least that a user gives."""

VARIANTS: dict[str, Values] = {
    "least": REQUIRED,
    "namespaces": REQUIRED | {"watchNamespaces": ["team-a", "team-b", "team-c"]},
    "cluster_wide": REQUIRED | {"clusterWide": True},
    "user_roles": REQUIRED | {"userRoles": {"create": True}},
    "gpu_nodes": REQUIRED | {"gpuNodes": {"read": True}},
    "digest": REQUIRED | {"image": {"repository": "registry.example/operator", "digest": "sha256:" + "b" * 64}},
    "tag": REQUIRED | {"image": {"repository": "registry.example/operator", "tag": "v1.2", "pullPolicy": "Always"}},
    "pull_secrets": REQUIRED | {"imagePullSecrets": [{"name": "registry"}, {"name": "mirror"}]},
    "crds_off": REQUIRED | {"crds": {"install": False}},
    "namespaced": REQUIRED | {"crds": {"install": False}, "admissionPolicy": {"install": False}},
    "policy": REQUIRED | {"admissionPolicy": {"images": ["registry.example.com:5000/ai", "localhost:1"]}},
    "digests": {
        "image": {"repository": "registry.example/operator", "digest": "sha256:" + "b" * 64},
        "serverImages": dict.fromkeys(("gpu", "cpu"), "registry.example/server@sha256:" + "a" * 64),
        "admissionPolicy": {"requireDigest": True},
    },
    "network": REQUIRED | {"networkPolicy": {"apiServerPorts": [16443]}},
    "network_off": REQUIRED | {"networkPolicy": {"create": False}},
    "monitoring": REQUIRED
    | {
        "watchNamespaces": ["team-a", "team-b"],
        "monitoring": {
            "podMonitors": True,
            "rules": True,
            "dashboard": True,
            "labels": {"release": "kube-prometheus-stack"},
        },
    },
    "placement": REQUIRED
    | {
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "infra", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}},
        "priorityClassName": "system-cluster-critical",
    },
    "marks": REQUIRED
    | {
        "labels": {"team": "serving", "app.kubernetes.io/name": "must-not-win"},
        "annotations": {"example.com/owner": "serving"},
        "podLabels": {"mesh": "off"},
        "podAnnotations": {"prometheus.io/port": "8080"},
        "resources": {"requests": {"cpu": 1, "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "logLevel": "debug",
    },
}
"""Value sets that together touch every value of the chart."""


def texts(values: Values, *, name: str = "qwen-operator", namespace: str = "ops") -> dict[str, str]:
    """Return each rendered file's text by its name below templates/; raises helm's errors."""
    with helm.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=name, namespace=namespace)
    return {Path(path).name: text for path, text in rendered.items()}


def objects(values: Values, *, name: str = "qwen-operator", namespace: str = "ops") -> list[Manifest]:
    """Return every object that a release would send to the API server."""
    files = texts(values, name=name, namespace=namespace)
    documents = [yaml.safe_load_all(text) for file, text in sorted(files.items()) if file.endswith(".yaml")]
    return [document for stream in documents for document in stream if document]


def of_kind(found: list[Manifest], *kinds: str) -> list[Manifest]:
    """Return the objects of some kinds."""
    return [item for item in found if item["kind"] in kinds]


def the_deployment(values: Values, *, namespace: str = "ops") -> Manifest:
    """Return the operator's Deployment."""
    [deployment] = of_kind(objects(values, namespace=namespace), "Deployment")
    return deployment
