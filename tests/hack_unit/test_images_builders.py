"""The command lines of docker and buildah (hack/images/docker.py, hack/images/buildah.py)."""

from pathlib import Path

import pytest

from hack.cluster.steps import Report, silence
from hack.demo import delivery, places
from hack.images import borrowed, tools
from hack.images.build import Order
from hack.images.buildah import Buildah
from hack.images.builder import Builder, Plan, is_private
from hack.images.docker import Docker
from hack.images.recipe import IMAGES
from hack.images.storage import storage

PLAN = Plan(
    target="operator",
    reference="localhost/qwen-operator/operator:abc",
    base="localhost/base:1",
    secrets={"environment": Path("/c/environment"), "certificates": Path("/etc/ca.crt")},
)
BUILDAH = Buildah(storage({"HOME": "/home/me"}), Path("/home/me/.cache/uv"))
STORE = [
    "buildah",
    "--root",
    "/home/me/.cache/qwen-operator/images/layers",
    "--runroot",
    "/run/qwen-operator/images",
    "--storage-driver",
    "overlay",
]


def test_buildah_builds_a_target_without_a_container_runtime() -> None:
    """chroot, cached layers, secrets, and the machine's uv cache as a mount."""
    assert BUILDAH.build_line(PLAN, Path("/checkout")) == [
        *STORE,
        "bud",
        "--isolation=chroot",
        "--layers",
        "--target=operator",
        "--tag=localhost/qwen-operator/operator:abc",
        "--build-arg=BASE=localhost/base:1",
        "--secret=id=certificates,src=/etc/ca.crt",
        "--secret=id=environment,src=/c/environment",
        "--volume=/home/me/.cache/uv:/srv",
        "/checkout",
    ]


def test_docker_builds_a_target_with_its_own_caches() -> None:
    """BuildKit keeps the uv cache itself, so nothing is mounted."""
    assert Docker().build_line(PLAN, Path("/checkout")) == [
        "docker",
        "build",
        "--progress=plain",
        "--target=operator",
        "--tag=localhost/qwen-operator/operator:abc",
        "--build-arg=BASE=localhost/base:1",
        "--secret=id=certificates,src=/etc/ca.crt",
        "--secret=id=environment,src=/c/environment",
        "/checkout",
    ]
    assert Docker().environment == {"DOCKER_BUILDKIT": "1"}


@pytest.mark.parametrize(
    ("reference", "verify"),
    [("10.88.0.1:5000/qwen-operator/operator:abc", "false"), ("registry.example.com/team/operator:abc", "true")],
)
def test_buildah_verifies_certificates_of_public_registries_only(reference: str, verify: str) -> None:
    """The cluster's own registry speaks plain HTTP; nobody else's may."""
    assert BUILDAH.push_line(reference) == [
        *STORE,
        "push",
        "--quiet",
        f"--tls-verify={verify}",
        "--compression-format=zstd",
        "--compression-level=1",
        reference,
        f"docker://{reference}",
    ]


@pytest.mark.parametrize(
    ("registry", "private"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("192.168.1.9", True),
        ("[fd00::1]:5000", True),
        ("8.8.8.8:5000", False),
        ("10.example.com:5000", False),
        ("ghcr.io", False),
    ],
)
def test_a_registry_is_private_by_its_address_alone(registry: str, private: bool) -> None:
    """A name may resolve to anything, so only addresses count."""
    assert is_private(f"{registry}/qwen-operator/operator:abc") is private


@pytest.mark.parametrize("builder", [BUILDAH, Docker()], ids=["buildah", "docker"])
def test_every_builder_finds_tags_and_pushes_by_reference(builder: Builder) -> None:
    """The steps of a build do not know which program they drive."""
    assert builder.find_line("a/b:1")[-1] == "a/b:1"
    assert builder.tag_line("a/b:1", "c/b:1")[-2:] == ["a/b:1", "c/b:1"]
    assert "a/b:1" in builder.push_line("a/b:1")


def test_the_own_clusters_images_are_never_left_to_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Docker refuses a registry that speaks plain HTTP, as the cluster's own does, while kind may be absent."""
    asked: list[Order] = []

    def build(order: Order, _report: Report) -> dict[str, str]:
        asked.append(order)
        return dict.fromkeys(IMAGES, "a/b:1")

    monkeypatch.setattr(delivery, "build", build)
    monkeypatch.setattr(delivery, "fetch", lambda *_: None)
    monkeypatch.setattr(tools, "docker_works", lambda: True)
    monkeypatch.setattr(tools, "buildah", lambda *_: BUILDAH)

    places.OwnCluster(tmp_path / "log").images(silence)
    places.NamedCluster(tmp_path / "log", "staging", "registry.example.com").images(silence)

    lent = borrowed.observed({"HOME": str(tmp_path)})
    built_by = [tools.builder(BUILDAH.storage, lent, docker=order.docker) for order in asked]
    assert built_by == [BUILDAH, Docker()]
