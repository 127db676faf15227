"""Each child as it is sent: what it must hold whatever the model, and what the model decides."""

from importlib.metadata import version
from typing import Any

import pytest

from qwen_operator.core.desired.deployment import deployment
from qwen_operator.core.desired.key_secret import key_secret
from qwen_operator.core.desired.service import service
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import serving
from qwen_operator.core.snapshot import Manifest
from tests.builders import SETTINGS, UID, a_model

Child = Manifest

OURS = {
    "app.kubernetes.io/name": "qwen-model",
    "app.kubernetes.io/instance": "qwen3",
    "app.kubernetes.io/component": "server",
    "app.kubernetes.io/managed-by": "qwen-operator",
}


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
APART = {REQUIRED: [{"labelSelector": {}, "topologyKey": "kubernetes.io/hostname"}]}


def on_nodes(*keys: str) -> Manifest:
    """An affinity to nodes with one of these labels, in Kubernetes' words."""
    terms = [{"matchExpressions": [{"key": key, "operator": "Exists"}]} for key in keys]
    return {REQUIRED: {"nodeSelectorTerms": terms}}


def children(model: QwenModel) -> tuple[Child, Child, Child]:
    """Secret, Service and Deployment of a model."""
    wanted = serving(model, SETTINGS)
    return key_secret(model, wanted), service(model, wanted), deployment(model, wanted)


def pod(**spec: Any) -> Manifest:
    """The pod's spec of a model."""
    found: Manifest = children(a_model(**spec))[2]["spec"]["template"]["spec"]
    return found


def container(**spec: Any) -> Manifest:
    """The server's container of a model."""
    [found] = pod(**spec)["containers"]
    assert isinstance(found, dict)
    return found


def volumes(**spec: Any) -> dict[str, Manifest]:
    """The pod's volumes by name."""
    return {volume["name"]: volume for volume in pod(**spec)["volumes"]}


@pytest.mark.parametrize("index", [0, 1, 2], ids=["secret", "service", "deployment"])
def test_a_child_bears_our_labels_and_leaves_with_its_model(index: int) -> None:
    """The owner reference asks for no right on finalizers."""
    metadata = children(a_model())[index]["metadata"]

    assert metadata["labels"] == OURS
    assert metadata["namespace"] == "team"
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "qwen-operator.io/v1alpha1",
            "kind": "QwenModel",
            "name": "qwen3",
            "uid": UID,
            "controller": True,
        }
    ]


def test_the_key_secret_holds_no_key() -> None:
    """It is added at the edge."""
    secret = children(a_model())[0]

    assert secret["metadata"]["name"] == "qwen3-api-keys"
    assert not {"data", "stringData"} & secret.keys()


def test_the_service_leads_to_the_api_only() -> None:
    """The management port asks for no key."""
    assert children(a_model())[1]["spec"] == {
        "type": "ClusterIP",
        "selector": {label: value for label, value in OURS.items() if "managed-by" not in label},
        "ports": [{"name": "http", "port": 8000, "targetPort": "api", "protocol": "TCP"}],
    }


def test_the_service_takes_what_the_model_says_and_keeps_our_labels() -> None:
    """Type, port, annotations and labels."""
    asked = {"type": "LoadBalancer", "port": 80, "annotations": {"a/b": "c"}, "labels": {"team": "red"}}

    found = children(a_model(service=asked))[1]

    assert found["spec"]["type"] == "LoadBalancer"
    assert found["spec"]["ports"][0]["port"] == 80
    assert found["metadata"]["annotations"] == {"a/b": "c"}
    assert found["metadata"]["labels"] == {"team": "red", **OURS}


@pytest.mark.parametrize(
    ("strategy", "surge", "unavailable"), [("Auto", 1, 0), ("Surge", 1, 0), ("InPlace", 0, 1), ("OnDelete", 0, 1)]
)
def test_the_strategy_says_who_goes_first(strategy: str, surge: int, unavailable: int) -> None:
    """Auto begins as Surge does; the scheduler says whether there is room."""
    found = children(a_model(device="GPU", rollout={"strategy": strategy}))[2]["spec"]["strategy"]

    assert found["rollingUpdate"] == {"maxSurge": surge, "maxUnavailable": unavailable}


def test_a_revision_is_named_by_what_its_pods_are() -> None:
    """The same for another number of replicas, another for another flag."""
    label = "qwen-operator.io/revision"
    asked: list[dict[str, Any]] = [{}, {"replicas": 3}, {"server": {"maxNumSeqs": 7}}]
    found = [children(a_model(**spec))[2]["spec"]["template"]["metadata"]["labels"][label] for spec in asked]

    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("device", ["CPU", "GPU"])
def test_a_pod_is_restricted_whatever_the_model(device: str) -> None:
    """The restricted Pod Security profile, and no way to the API server."""
    found = pod(device=device)

    assert found["automountServiceAccountToken"] is False
    assert found["enableServiceLinks"] is False
    assert found["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert found["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_pod_gets_its_grace() -> None:
    """Longer than endpoints need, a drain takes and an engine needs to let go."""
    assert pod()["terminationGracePeriodSeconds"] == 345


def test_the_model_and_the_keys_are_mounted_for_reading() -> None:
    """The keys only for the pod's group, and their absence is left to the server to tell."""
    found = volumes()

    assert found["models"]["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    assert found["keys"]["secret"] == {"secretName": "qwen3-api-keys", "defaultMode": 0o440, "optional": True}
    assert {mount["mountPath"] for mount in container()["volumeMounts"] if mount.get("readOnly")} == {
        "/models",
        "/etc/qwen/keys",
    }


def test_what_is_written_goes_to_scratch_volumes() -> None:
    """Since the root file system is read-only."""
    written = {mount["mountPath"]: mount["name"] for mount in container()["volumeMounts"] if not mount.get("readOnly")}

    assert written == {"/var/cache/qwen": "cache", "/tmp": "tmp", "/dev/shm": "shm"}  # noqa: S108
    assert all("emptyDir" in volumes()[name] for name in written.values())
    assert volumes()["shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Gi"}


def test_a_gpu_pod_asks_for_its_gpus_and_tolerates_their_taint() -> None:
    """Extended resources need requests and limits alike."""
    asked = {"gpus": 8, "gpuProduct": "NVIDIA-H200", "sharedMemory": "32Gi"}
    found = pod(device="GPU", resources=asked)

    assert found["containers"][0]["resources"] == {
        "requests": {"cpu": "20", "memory": "80Gi", "nvidia.com/gpu": "8"},
        "limits": {"nvidia.com/gpu": "8"},
    }
    assert found["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert found["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H200"}
    assert volumes(device="GPU", resources=asked)["shm"]["emptyDir"]["sizeLimit"] == "32Gi"


def test_another_gpu_resource_brings_its_own_taint() -> None:
    """MIG slices and other vendors."""
    found = pod(device="GPU", resources={"gpuResourceName": "amd.com/gpu"})

    assert found["containers"][0]["resources"]["limits"] == {"amd.com/gpu": "1"}
    assert found["tolerations"][0]["key"] == "amd.com/gpu"


def test_a_cpu_pod_asks_for_no_gpu() -> None:
    """Neither resource nor toleration nor node label."""
    found = pod(device="CPU")

    assert found["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "2Gi"},
        "limits": {"memory": "8Gi"},
    }
    assert not {"tolerations", "nodeSelector"} & found.keys()


def test_without_a_word_about_it_a_pod_has_no_affinity_and_no_scheduler_of_its_own() -> None:
    """Else every replica would restart with the operator's release that brings the field."""
    assert not {"affinity", "schedulerName"} & pod().keys()
    assert "affinity" not in pod(scheduling={"affinity": {}})


def test_scheduling_reaches_the_pod() -> None:
    """Each field under Kubernetes' own name; empty ones are left out, as the API server would drop them."""
    found = pod(
        scheduling={
            "nodeSelector": {"pool": "inference"},
            "tolerations": [
                {"key": "pool", "value": "", "effect": "NoSchedule"},
                {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
            ],
            "topologySpreadConstraints": [{"topologyKey": "zone"}],
            "priorityClassName": "high",
            "runtimeClassName": "nvidia",
            "schedulerName": "volcano",
            "affinity": {"nodeAffinity": on_nodes("a", "b"), "podAntiAffinity": APART},
        }
    )

    assert found["nodeSelector"] == {"pool": "inference"}
    assert found["tolerations"] == [
        {"key": "pool", "operator": "Equal", "effect": "NoSchedule"},
        {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ]
    assert found["priorityClassName"] == "high"
    assert found["runtimeClassName"] == "nvidia"
    assert found["schedulerName"] == "volcano"
    assert found["affinity"] == {"nodeAffinity": on_nodes("a", "b"), "podAntiAffinity": APART}
    [spread] = found["topologySpreadConstraints"]
    assert (spread["maxSkew"], spread["whenUnsatisfiable"]) == (1, "DoNotSchedule")
    assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "qwen3"
    assert spread["matchLabelKeys"] == ["pod-template-hash"]


def test_a_node_label_of_the_model_does_not_replace_the_gpus() -> None:
    """Both must hold."""
    found = pod(device="GPU", resources={"gpuProduct": "NVIDIA-L4"}, scheduling={"nodeSelector": {"pool": "a"}})

    assert found["nodeSelector"] == {"pool": "a", "nvidia.com/gpu.product": "NVIDIA-L4"}


def test_the_image_comes_with_policy_and_credentials() -> None:
    """As the model says, else as the operator is set."""
    asked = {"image": "r.example/x:1", "imagePullPolicy": "Always", "imagePullSecrets": [{"name": "r"}]}

    assert pod(server=asked)["imagePullSecrets"] == [{"name": "r"}]
    assert container(server=asked)["image"] == "r.example/x:1"
    assert container(server=asked)["imagePullPolicy"] == "Always"
    assert container()["imagePullPolicy"] == "IfNotPresent"


def test_an_empty_variable_has_no_value() -> None:
    """The API server would drop it, and every comparison would fail."""
    assert {"name": "EMPTY"} in container(server={"env": [{"name": "EMPTY"}]})["env"]


def test_a_start_has_no_deadline_of_the_kubelets() -> None:
    """A day of patience; the server itself ends a start that stalls."""
    probe = container()["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] == 24 * 3600
    assert children(a_model())[2]["spec"]["progressDeadlineSeconds"] == 2**31 - 1


def test_probes_ask_the_management_port() -> None:
    """Which asks for no key."""
    found = container()

    assert [found[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")] == [
        "/startupz",
        "/readyz",
        "/livez",
    ]
    assert {found[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "readiness", "liveness")} == {"management"}


def test_the_end_of_the_log_reaches_the_operator() -> None:
    """When the server could not leave its own words."""
    assert container()["terminationMessagePolicy"] == "FallbackToLogsOnError"


@pytest.mark.parametrize(
    "change", [{"replicas": 4}, {"suspend": True}, {"service": {"port": 80}}, {"auth": {"generate": False}}]
)
def test_the_pod_template_stays_when_no_replica_has_to_restart(change: dict[str, Any]) -> None:
    """Number of replicas, Service and who makes the keys are no reason to load a model again."""
    before, after = (children(a_model(**spec))[2]["spec"]["template"] for spec in ({}, change))

    assert before == after


def test_nothing_in_a_child_names_the_operators_version() -> None:
    """Else an upgrade of the operator would restart every replica."""
    assert version("qwen-operator") not in str(children(a_model())[2]["spec"])
