"""The operator's Helm chart, installed or upgraded as a user would, and taken away again."""

import json
from dataclasses import dataclass
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
    """One installation: its name, its namespace, and the namespaces it serves."""

    name: str
    namespace: str
    serves: tuple[str, ...]


def values(release: Release, images: Images, *, crds: bool) -> dict[str, Any]:
    """The chart's values for a release."""
    repository, _, tag = images.operator.rpartition(":")
    return {
        "watchNamespaces": list(release.serves),
        "image": {"repository": repository, "tag": tag},
        "serverImages": {"gpu": images.server, "cpu": images.server_cpu},
        "crds": {"install": crds},
    }


def may_own_crd(crd: dict[str, Any] | None, release: Release) -> bool:
    """Whether Helm lets this release install the CRD: there is none, or it is this release's already."""
    notes = (crd or {}).get("metadata", {}).get("annotations", {})
    owner = (notes.get("meta.helm.sh/release-name"), notes.get("meta.helm.sh/release-namespace"))
    return crd is None or owner == (release.name, release.namespace)


def install(kube: Kube, release: Release, images: Images) -> str:
    """Install or upgrade the release and wait until the operator is ready; safe after an interrupted one."""
    uninstall_unfinished(kube, release)
    crd = kube.object("customresourcedefinition", CRD, release.namespace)
    wanted = json.dumps(values(release, images, crds=may_own_crd(crd, release)))
    where = [f"--namespace={release.namespace}", "--create-namespace"]
    kube.helm(
        "upgrade", "--install", release.name, str(CHART), *where, "--values=-", "--wait", "--timeout=3m", stdin=wanted
    )
    return f"release {release.name} in namespace {release.namespace} serves {', '.join(release.serves)}"


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
