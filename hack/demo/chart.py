"""The operator's Helm chart, installed or upgraded as a user would, and taken away again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hack.demo.kube import Kube
from hack.demo.machine import ROOT

CHART = ROOT / "charts/qwen-operator"
CRD = "qwenmodels.qwen-operator.io"


@dataclass(frozen=True, kw_only=True)
class Images:
    """Whole references, each with registry and tag; the GPU image need not exist for models on the CPU."""

    operator: str
    server: str
    server_cpu: str


@dataclass(frozen=True)
class Release:
    """One installation: its name, its namespace, the namespaces it serves, and labels by which to know it again."""

    name: str
    namespace: str
    serves: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    hub: str = ""
    """Base URL of the hub that weights are fetched from; empty means the public one."""
    images: tuple[str, ...] = ()
    """Registries besides the operator's own whose images a model may name."""


def values(release: Release, images: Images, *, crds: bool) -> dict[str, Any]:
    """The chart's values for a release."""
    repository, _, tag = images.operator.rpartition(":")
    return {
        "watchNamespaces": list(release.serves),
        "image": {"repository": repository, "tag": tag},
        "serverImages": {"gpu": images.server, "cpu": images.server_cpu},
        "weights": {"hubEndpoint": release.hub},
        "admissionPolicy": {"images": list(release.images)},
        "crds": {"install": crds},
        "labels": dict(release.labels),
    }


def may_own_crd(crd: dict[str, Any] | None, release: Release) -> bool:
    """Whether Helm lets this release install the CRD: there is none, or it is this release's already."""
    notes = (crd or {}).get("metadata", {}).get("annotations", {})
    owner = (notes.get("meta.helm.sh/release-name"), notes.get("meta.helm.sh/release-namespace"))
    return crd is None or owner == (release.name, release.namespace)


def install(kube: Kube, release: Release, images: Images) -> str:
    """Install or upgrade the release and wait until the operator is ready; safe after an interrupted one."""
    uninstall_unfinished(kube, release)
    make_namespace(kube, release)
    crd = kube.object("customresourcedefinition", CRD, release.namespace)
    wanted = json.dumps(values(release, images, crds=may_own_crd(crd, release)))
    marked = [f"--labels={selector(release.labels)}"] if release.labels else []
    options = [*marked, *apply_options(kube), "--values=-", "--wait", "--timeout=3m"]
    where = f"--namespace={release.namespace}"
    kube.helm("upgrade", "--install", release.name, str(CHART), where, *options, stdin=wanted)
    return f"release {release.name} in namespace {release.namespace} serves {', '.join(release.serves)}"


def apply_options(kube: Kube) -> list[str]:
    """What makes the release's objects as the chart says, whoever wrote to them since.

    Helm 4 applies server-side, and would refuse a CRD that kubectl was given in between; Helm 3 knows no conflicts.
    """
    old = kube.helm("version", "--template={{.Version}}").startswith("v3.")
    return [] if old else ["--server-side=true", "--force-conflicts"]


def make_namespace(kube: Kube, release: Release) -> None:
    """Make the release's namespace with its labels; one that is there stays as it is."""
    if kube.object("namespace", release.namespace, release.namespace) is None:
        metadata = {"name": release.namespace, "labels": dict(release.labels)}
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def selector(labels: Mapping[str, str]) -> str:
    """Labels as kubectl and helm read them."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def is_installed(kube: Kube, release: Release, labels: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Whether there is a release of that name, in whatever state, that bears these labels."""
    states = ("--deployed", "--failed", "--pending", "--uninstalling")
    chosen = (f"--filter=^{release.name}$", f"--selector={selector(labels)}", "--short")
    return bool(kube.helm("list", f"--namespace={release.namespace}", *states, *chosen).strip())


def uninstall_unfinished(kube: Kube, release: Release) -> None:
    """Helm refuses to touch a release whose first installation was killed half-way; take that one away."""
    words = kube.helm(
        "list", f"--namespace={release.namespace}", "--pending", "--filter", f"^{release.name}$", "--short"
    )
    if words.strip():
        uninstall(kube, release)


def uninstall(kube: Kube, release: Release) -> None:
    """Take the release away, if it is there, and wait until its objects are gone."""
    where = [f"--namespace={release.namespace}", "--ignore-not-found", "--wait", "--timeout=2m"]
    kube.helm("uninstall", release.name, *where)


def operator_memory(kube: Kube, release: Release) -> float:
    """Resident memory of the operator's process 1, in MB (10^6 bytes), as its own kernel tells it."""
    target = f"deployment/{release.name}"
    script = "print(next(line.split()[1] for line in open('/proc/1/status') if line.startswith('VmRSS')))"
    kibibytes = kube.text("exec", f"--namespace={release.namespace}", target, "--", "python3", "-c", script)
    return int(kibibytes) * 1024 / 1e6
