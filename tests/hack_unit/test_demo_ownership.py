"""What the demo leaves alone on a cluster of the user's (hack/demo/ownership.py, hack/demo/down.py)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hack.cluster.steps import silence
from hack.demo import model, places
from hack.demo.chart import CRD, apply_options
from hack.demo.down import tidy
from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.ownership import refuse_strangers
from hack.demo.pod import PART_OF
from hack.demo.up import EXAMPLE, RELEASE, up

NAMES = {
    "customresourcedefinition": CRD,
    "qwenmodel": "qwen3",
    "persistentvolumeclaim": "models",
    "namespace": "qwen-operator",
}
"""Each kind that the demo makes, and the name that it and the README give it."""


@dataclass(frozen=True)
class Cluster(Kube):
    """A cluster in memory: an object of each kind with its labels, and the labels of the release if there is one."""

    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    release: list[dict[str, str]] = field(default_factory=list)

    def object(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        """What is there under a name that the demo takes."""
        assert NAMES[kind] == name
        return {"metadata": {"name": name, "labels": self.labels[kind]}} if kind in self.labels else None

    def delete(self, kind: str, name: str, namespace: str, seconds: float = 120) -> None:
        """Take it away."""
        del self.labels[kind]

    def text(self, *arguments: str) -> str:
        """The models of all namespaces are all that is asked for."""
        assert arguments[:3] == ("get", "qwenmodels", "--all-namespaces")
        return "a model" if "qwenmodel" in self.labels else ""

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        """List or uninstall the one release."""
        if arguments[0] == "uninstall":
            self.release.clear()
        wanted = next((word.partition("=")[2] for word in arguments if word.startswith("--selector=")), "")
        have = {f"{name}={value}" for labels in self.release for name, value in labels.items()}
        return "qwen-operator" if self.release and (not wanted or wanted in have) else ""


def cluster(labels: dict[str, str], *kinds: str, release: bool = False) -> Cluster:
    """A cluster with objects of these kinds, all with the same labels."""
    there = {kind: dict(labels) for kind in kinds}
    return Cluster("kubectl", "helm", Path("log"), labels=there, release=[dict(labels)] if release else [])


def test_what_the_demo_made_goes_and_nothing_is_left() -> None:
    """The CRD too, since nobody else has models."""
    made = cluster(PART_OF, *NAMES, release=True)

    tidy(made, silence)

    assert made.labels == {}
    assert made.release == []


def test_what_somebody_else_made_under_the_same_names_stays() -> None:
    """The names are those of the README, and the claim holds somebody's weights."""
    theirs = cluster({}, *NAMES, release=True)

    tidy(theirs, silence)

    assert set(theirs.labels) == set(NAMES)
    assert theirs.release == [{}]


def test_a_crd_that_models_need_stays() -> None:
    """With it every QwenModel of the cluster would go."""
    mixed = cluster(PART_OF, "customresourcedefinition")
    mixed.labels["qwenmodel"] = {}

    tidy(mixed, silence)

    assert set(mixed.labels) == {"customresourcedefinition", "qwenmodel"}


def test_a_cluster_of_somebody_who_followed_the_readme_is_refused_by_name() -> None:
    """All that stands in the way is told at once, and what would help."""
    theirs = cluster({}, *NAMES, release=True)

    with pytest.raises(DemoError) as refused:
        refuse_strangers(theirs, RELEASE, model.example(EXAMPLE))

    assert str(refused.value) == (
        "The cluster has release qwen-operator/qwen-operator, QwenModel default/qwen3, PersistentVolumeClaim "
        "default/models, which the demo did not make and would overwrite: name another cluster with CONTEXT=, or "
        "remove it first."
    )


@pytest.mark.parametrize("found", [cluster({}), cluster(PART_OF, *NAMES, release=True)], ids=["empty", "own"])
def test_an_empty_cluster_and_the_demos_own_are_taken(found: Cluster) -> None:
    """A second run goes on from the first."""
    refuse_strangers(found, RELEASE, model.example(EXAMPLE))


def test_the_refusal_comes_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building takes minutes, and a push is visible to others."""
    named = places.NamedCluster(Path("log"), "staging", "registry.example.com")
    monkeypatch.setattr(places.NamedCluster, "kube", lambda _: cluster({}, "persistentvolumeclaim"))
    monkeypatch.setattr(places.NamedCluster, "images", lambda *_: pytest.fail("images were built"))

    with pytest.raises(DemoError, match="PersistentVolumeClaim default/models"):
        up(named, silence)


@pytest.mark.parametrize(
    ("version", "options"),
    [("v4.1", ["--server-side=true", "--force-conflicts"]), ("v3.18.4", [])],
)
def test_helm_4_is_told_to_write_what_kubectl_wrote_before(
    version: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CRD that was applied with kubectl in between would be refused; Helm 3 does not know the options."""
    monkeypatch.setattr(Cluster, "helm", lambda *_, **__: version)

    assert apply_options(cluster({})) == options
