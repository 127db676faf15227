"""The operator's pod: restricted, small, and started with flags that the operator understands."""

import subprocess
import sys
from typing import Any

import pytest

from qwen_operator.core.pod_standard import violations
from tests.charts.rendering import REQUIRED, VARIANTS, Values, the_deployment

VARIANT = pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)


def pod_of(values: Values) -> dict[str, Any]:
    """The pod's spec."""
    spec: dict[str, Any] = the_deployment(values)["spec"]["template"]["spec"]
    return spec


def container_of(values: Values) -> dict[str, Any]:
    """The pod's one container."""
    [container] = pod_of(values)["containers"]
    return dict(container)


@VARIANT
def test_the_pod_passes_the_restricted_profile(values: Values) -> None:
    """A namespace that enforces it takes the operator as it is."""
    assert violations(pod_of(values)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"hostNetwork": True}, "hostNetwork is set"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volume v is of the type hostPath"),
        ({"securityContext": {}}, "container operator: it may run as root"),
        ({"containers": [{"name": "operator"}]}, "container operator: it keeps capabilities"),
    ],
)
def test_the_judge_of_the_profile_can_fail(change: dict[str, Any], fault: str) -> None:
    """A check that never says no is none."""
    assert fault in violations(pod_of(REQUIRED) | change)


def test_the_root_file_system_is_read_only_with_room_in_tmp() -> None:
    """And the room is bounded, so that a pod cannot fill its node."""
    assert container_of(REQUIRED)["securityContext"]["readOnlyRootFilesystem"] is True
    assert container_of(REQUIRED)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    assert pod_of(REQUIRED)["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}]


def test_the_pod_asks_for_little() -> None:
    """Requests and limits by default."""
    assert container_of(REQUIRED)["resources"] == {
        "requests": {"cpu": "50m", "memory": "64Mi"},
        "limits": {"memory": "256Mi"},
    }


def test_a_new_operator_starts_before_the_old_one_ends() -> None:
    """One replica; the Lease keeps the two from writing side by side."""
    spec = the_deployment(REQUIRED)["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


@pytest.mark.parametrize(
    ("variant", "image"),
    [
        ("least", "registry.example/qwen-operator/operator:0.1.0"),
        ("tag", "registry.example/operator:v1.2"),
        ("digest", "registry.example/operator@sha256:" + "b" * 64),
    ],
)
def test_the_image_is_named_by_digest_or_tag(variant: str, image: str) -> None:
    """A digest wins over a tag, a tag over the chart's version."""
    assert container_of(VARIANTS[variant])["image"] == image


def test_pull_secrets_and_placement_reach_the_pod() -> None:
    """As they were given."""
    placement = VARIANTS["placement"]

    assert pod_of(VARIANTS["pull_secrets"])["imagePullSecrets"] == [{"name": "registry"}, {"name": "mirror"}]
    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert pod_of(placement)[name] == placement[name]


@pytest.mark.parametrize(
    ("variant", "scope"),
    [
        ("least", "--watch-namespaces=ops"),
        ("namespaces", "--watch-namespaces=team-a,team-b,team-c"),
        ("cluster_wide", "--all-namespaces"),
    ],
)
def test_the_operator_is_told_its_scope_its_home_and_the_images(variant: str, scope: str) -> None:
    """Every flag is given, none by the environment."""
    images: dict[str, str] = REQUIRED["serverImages"]

    assert container_of(VARIANTS[variant])["args"] == [
        "run",
        "--namespace=ops",
        scope,
        f"--server-image={images['gpu']}",
        f"--server-cpu-image={images['cpu']}",
        "--weights-image=registry.example/qwen-operator/operator:0.1.0",
        "--log-level=info",
        "--metrics-port=8080",
    ]
    assert "env" not in container_of(VARIANTS[variant])


@pytest.mark.parametrize("variant", ["least", "namespaces", "cluster_wide", "marks"])
def test_the_operator_understands_its_arguments(variant: str) -> None:
    """Its own command line takes all of them, and stops only at the kubeconfig that is not there."""
    missing = "/does/not/exist"
    line = [sys.executable, "-m", "qwen_operator", *container_of(VARIANTS[variant])["args"], f"--kubeconfig={missing}"]

    end = subprocess.run(line, capture_output=True, text=True, check=False)

    assert end.returncode == 2
    assert missing in end.stderr
    assert len(end.stderr.splitlines()) == 1


def test_probes_ask_the_port_that_the_operator_is_told() -> None:
    """Alive and ready are two questions."""
    container = container_of(REQUIRED)
    probes = {name: container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")}

    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert probes == {
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }
