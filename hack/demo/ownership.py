"""What on a cluster is the demo's own, known by a label: on a cluster of the user's nothing else is changed or removed.

The demo takes the names that the README uses, so whoever followed it may have a release, a model and a claim of them.
"""

from typing import Any

from hack.demo import chart
from hack.demo.chart import Release
from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.model import Example
from hack.demo.pod import PART_OF


def is_ours(thing: dict[str, Any] | None) -> bool:
    """Whether an object is there and bears the demo's label."""
    return thing is not None and PART_OF.items() <= thing["metadata"].get("labels", {}).items()


def living(kube: Kube, example: Example) -> dict[str, Any] | None:
    """The example's model, or None where there is none, perhaps because there is no CRD."""
    crd = kube.object("customresourcedefinition", chart.CRD, example.namespace)
    return kube.object("qwenmodel", example.name, example.namespace) if crd else None


def strangers(kube: Kube, release: Release, example: Example) -> list[str]:
    """Everything that bears a name the demo takes, and that the demo did not make."""
    objects = {
        f"QwenModel {example.namespace}/{example.name}": living(kube, example),
        f"PersistentVolumeClaim {example.namespace}/{example.claim}": kube.object(
            "persistentvolumeclaim", example.claim, example.namespace
        ),
    }
    found = [name for name, thing in objects.items() if thing and not is_ours(thing)]
    if chart.is_installed(kube, release) and not chart.is_installed(kube, release, PART_OF):
        found.insert(0, f"release {release.namespace}/{release.name}")
    return found


def refuse_strangers(kube: Kube, release: Release, example: Example) -> None:
    """Raise DemoError if the demo would overwrite what somebody else made."""
    if found := strangers(kube, release, example):
        raise DemoError(
            f"The cluster has {', '.join(found)}, which the demo did not make and would overwrite: "
            "name another cluster with CONTEXT=, or remove it first."
        )


def remove(kube: Kube, kind: str, name: str, namespace: str) -> str:
    """Delete an object if the demo made it, and wait until it is gone; returns what became of it."""
    thing = kube.object(kind, name, namespace)
    if thing is None:
        return f"{name} is not there"
    if not is_ours(thing):
        return f"{name} stays, because the demo did not make it"
    kube.delete(kind, name, namespace, seconds=180)
    return f"{name} removed"
