"""Every pod of ours keeps to the restricted standard, and whatever does not is said."""

import copy
from typing import Any

import pytest
import yaml

from qwen_operator.core.pod_standard import faults
from qwen_operator.core.snapshot import Manifest
from qwen_operator.rendering import manifests_of
from tests.builders import GOLDEN, SETTINGS, a_model
from tests.charts.rendering import VARIANTS, objects, of_kind

FETCHED: list[dict[str, Any]] = [
    {"model": {"uri": "hf://Qwen/Qwen3-8B", "credentialsRef": {"name": "hub"}}, "cache": {"size": "20Gi"}},
    {"model": {"uri": "s3://bucket/qwen3", "credentialsRef": {"name": "store"}}, "cache": {"claimName": "shared"}},
]


def children() -> list[Manifest]:
    """Every child of every example, and of models whose weights are fetched."""
    files = sorted((GOLDEN / "children").glob("*.yaml"))
    golden = [manifest for path in files for manifest in yaml.safe_load_all(path.read_text())]
    return golden + [manifest for spec in FETCHED for manifest in manifests_of(a_model(**spec), SETTINGS)]


DEPLOYMENT = next(child for child in children() if child["kind"] == "Deployment")


def test_every_child_of_every_example_keeps_to_the_standard() -> None:
    """Deployments and Jobs; what brings about no pod has nothing to keep to."""
    found = children()

    assert {child["kind"] for child in found} >= {"Deployment", "Job", "Service", "Secret", "PersistentVolumeClaim"}
    assert [fault for child in found for fault in faults(child)] == []


def test_every_pod_template_of_the_chart_keeps_to_the_standard_itself() -> None:
    """But for the token, which the operator alone needs."""
    for values in VARIANTS.values():
        for deployment in of_kind(objects(values), "Deployment"):
            assert faults(deployment) == ["a token of a service account is mounted"]


def with_pod(**fields: Any) -> Manifest:
    """The Deployment with other fields of its pod."""
    result: Manifest = copy.deepcopy(DEPLOYMENT)
    result["spec"]["template"]["spec"] |= fields
    return result


def with_container(**fields: Any) -> Manifest:
    """The Deployment with other fields of its container."""
    result = with_pod()
    [container] = result["spec"]["template"]["spec"]["containers"]
    container |= fields
    return result


def with_security(**fields: Any) -> Manifest:
    """The Deployment with other fields of its container's security context."""
    [container] = DEPLOYMENT["spec"]["template"]["spec"]["containers"]
    return with_container(securityContext=container["securityContext"] | fields)


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        (with_pod(hostNetwork=True), "hostNetwork is set"),
        (with_pod(hostPID=True), "hostPID is set"),
        (with_pod(hostIPC=True), "hostIPC is set"),
        (with_pod(securityContext={}), "container server: it may run as root"),
        (with_pod(securityContext={}), "container server: it has no seccomp profile"),
        (with_pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), "sysctls is set"),
        (with_pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "volume v is of the type hostPath"),
        (with_pod(automountServiceAccountToken=True), "a token of a service account is mounted"),
        (with_pod(initContainers=[{"name": "before"}]), "container before: it keeps capabilities"),
        (with_container(ports=[{"containerPort": 1, "hostPort": 1}]), "container server: it takes a port of the host"),
        (with_security(allowPrivilegeEscalation=True), "container server: it may escalate privileges"),
        (with_security(privileged=True), "container server: it is privileged"),
        (with_security(runAsUser=0), "container server: it may run as root"),
        (with_security(runAsNonRoot=False), "container server: it may run as root"),
        (with_security(seccompProfile={"type": "Unconfined"}), "container server: it has no seccomp profile"),
        (with_security(capabilities={"drop": ["NET_RAW"]}), "container server: it keeps capabilities"),
        (with_security(capabilities={"drop": ["ALL"], "add": ["X"]}), "container server: it adds capabilities"),
        (with_security(procMount="Unmasked"), "container server: it unmasks /proc"),
        (with_security(seLinuxOptions={"type": "x"}), "container server: it sets SELinux or AppArmor options"),
        (with_security(readOnlyRootFilesystem=False), "container server: its root file system can be written"),
    ],
)
def test_what_breaks_the_standard_is_named(manifest: Manifest, fault: str) -> None:
    """A check that never says no is none."""
    assert fault in faults(manifest)
