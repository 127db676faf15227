"""The definition on both API servers: what it lets pass, and the sentence with which it refuses the rest."""

from typing import Any

import pytest
import yaml

from qwen_operator.core.kinds import QWEN_MODEL
from qwen_operator.core.resource import parse
from qwen_operator.core.resource.report import UNSEEN
from tests.builders import a_body
from tests.golden.written import ROOT
from tests.operator_api.schema.answers import ApiServer
from tests.operator_unit.core import kstatus

URI = {"uri": "pvc://models/qwen3"}
NO_VALUES = {"key": "team", "operator": "In"}
VALUES = {"key": "team", "operator": "Exists", "values": ["red"]}


def body(spec: dict[str, Any], name: str = "qwen3") -> dict[str, Any]:
    """A QwenModel as a person sends it: nothing but name and spec."""
    found = a_body(name, **spec)
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {"name": name, "namespace": "team"},
        "spec": spec,
    }


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NEAR_CHAT = {"labelSelector": {"matchLabels": {"app": "chat"}}, "topologyKey": "kubernetes.io/hostname"}


def on_nodes(terms: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """An affinity to nodes that are as one of the terms says."""
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({}, "spec.model: Required value"),
    "no uri": ({"model": {}}, "spec.model.uri: Required value"),
    "no scheme": ({"model": {"uri": "models/qwen3"}}, "model.uri must start with pvc://"),
    "a scheme that is not known": ({"model": {"uri": "https://a/b"}}, "model.uri must start with pvc://"),
    "a claim in capitals": ({"model": {"uri": "pvc://Models/qwen3"}}, "model.uri must be pvc://<claim>/<folder>"),
    "a path that climbs": ({"model": {"uri": "pvc://models/../secret"}}, "model.uri must be pvc://<claim>/<folder>"),
    "a hidden folder": ({"model": {"uri": "pvc://models/.cache"}}, "model.uri must be pvc://<claim>/<folder>"),
    "an empty folder name": ({"model": {"uri": "pvc://models//qwen3"}}, "model.uri must be pvc://<claim>/<folder>"),
    "a folder with a blank": ({"model": {"uri": "pvc://models/a b"}}, "model.uri must be pvc://<claim>/<folder>"),
    "a hub model without organisation": (
        {"model": {"uri": "hf://Qwen3-8B"}},
        "model.uri must be hf://<organisation>/<name>",
    ),
    "an image without a registry": ({"model": {"uri": "oci://qwen3:1"}}, "model.uri must be oci://<registry>/<name>"),
    "an image with half a digest": (
        {"model": {"uri": "oci://registry.example/qwen3@sha256:abc"}},
        "model.uri must be oci://<registry>/<name>",
    ),
    "a key in a uri": (
        {"model": {"uri": "s3://AKIA:key@bucket/qwen3"}},
        "model.uri must hold no user, key or signature",
    ),
    "a signature in a uri": (
        {"model": {"uri": "s3://bucket/qwen3?X-Amz-Signature=a"}},
        "model.uri must hold no user, key or signature",
    ),
    "too short a uri": ({"model": {"uri": "s3://"}}, "spec.model.uri"),
    "an id with a blank": ({"model": {**URI, "servedName": "a b"}}, "spec.model.servedName"),
    "too small a context": ({"model": {**URI, "contextLength": 100}}, "spec.model.contextLength"),
    "too large a context": ({"model": {**URI, "contextLength": 2_000_000}}, "spec.model.contextLength"),
    "an unknown dtype": ({"model": {**URI, "dtype": "Int8"}}, "spec.model.dtype: Unsupported value"),
    "an unknown device": ({"model": URI, "device": "TPU"}, "spec.device: Unsupported value"),
    "fewer than no replicas": ({"model": URI, "replicas": -1}, "spec.replicas"),
    "replicas in words": ({"model": URI, "replicas": "two"}, "spec.replicas"),
    "a field that is not there": ({"model": URI, "replica": 2}, 'unknown field "spec.replica"'),
    "GPUs on a CPU": ({"model": URI, "device": "CPU", "resources": {"gpus": 1}}, "device CPU excludes resources.gpus"),
    "a GPU product on a CPU": (
        {"model": URI, "device": "CPU", "resources": {"gpuProduct": "NVIDIA-L4"}},
        "device CPU excludes resources.gpus",
    ),
    "parallel GPUs on a CPU": (
        {"model": URI, "device": "CPU", "parallelism": {"tensor": 2}},
        "device CPU excludes parallelism",
    ),
    "GPU memory on a CPU": (
        {"model": URI, "device": "CPU", "server": {"gpuMemoryUtilization": 0.5}},
        "device CPU excludes server.gpuMemoryUtil",
    ),
    "no GPUs on GPU": ({"model": URI, "resources": {"gpus": 0}}, "spec.resources.gpus"),
    "a tensor that does not divide": (
        {"model": URI, "resources": {"gpus": 8}, "parallelism": {"tensor": 3}},
        "resources.gpus must be a multiple of",
    ),
    "a pipeline that does not divide": (
        {"model": URI, "resources": {"gpus": 8}, "parallelism": {"pipeline": 3}},
        "resources.gpus must be a multiple of",
    ),
    "a layout for fewer GPUs than there are": (
        {"model": URI, "resources": {"gpus": 8}, "parallelism": {"tensor": 2, "pipeline": 2}},
        "resources.gpus must be parallelism.tensor times pipeline times data",
    ),
    "whole experts on a CPU": (
        {"model": URI, "device": "CPU", "parallelism": {"expert": "Enabled"}},
        "device CPU excludes parallelism",
    ),
    "ranks that do not divide": (
        {"model": URI, "resources": {"gpus": 8}, "parallelism": {"data": 3}},
        "resources.gpus must be a multiple of parallelism.tensor times pipeline times data",
    ),
    "ranks for more GPUs than there are": (
        {"model": URI, "resources": {"gpus": 8}, "parallelism": {"tensor": 4, "pipeline": 1, "data": 4}},
        "resources.gpus must be a multiple of parallelism.tensor times pipeline times data",
    ),
    "ranks on a CPU": (
        {"model": URI, "device": "CPU", "parallelism": {"data": 2}},
        "device CPU excludes parallelism",
    ),
    "stages on a CPU": (
        {"model": URI, "device": "CPU", "parallelism": {"pipeline": 2}},
        "device CPU excludes parallelism",
    ),
    "the memory of a GPU on a CPU": (
        {"model": URI, "device": "CPU", "resources": {"gpuMemory": "80Gi"}},
        "device CPU excludes resources.gpus",
    ),
    "a GPU's memory without a unit": (
        {"model": URI, "resources": {"gpuMemory": 80}},
        "resources.gpuMemory must be from 1Gi to 1Ti",
    ),
    "a drain without a unit": ({"model": URI, "rollout": {"drainTimeout": "300"}}, "spec.rollout.drainTimeout"),
    "a drain of a day": (
        {"model": URI, "rollout": {"drainTimeout": "24h"}},
        "rollout.drainTimeout must be from 0s to 12h, such as 90s or 5m",
    ),
    "a start that may not stand still": (
        {"model": URI, "server": {"stallTimeout": "5s"}},
        "server.stallTimeout must be from 10s to 12h, such as 90s or 5m",
    ),
    "an empty time": ({"model": URI, "server": {"stallTimeout": ""}}, "spec.server.stallTimeout"),
    "a strategy of Deployments": (
        {"model": URI, "rollout": {"strategy": "Recreate"}},
        "spec.rollout.strategy: Unsupported value",
    ),
    "a way back that is not known": (
        {"model": URI, "rollout": {"autoRollback": "None"}},
        "spec.rollout.autoRollback: Unsupported value",
    ),
    "a headroom without its sign": ({"model": URI, "validation": {"headroom": "3"}}, "spec.validation.headroom"),
    "a check that is not known": ({"model": URI, "validation": {"fit": "Maybe"}}, "spec.validation.fit: Unsupported"),
    "a cache of a type that is not known": (
        {"model": {**URI, "kvCacheDtype": "INT4"}},
        "spec.model.kvCacheDtype: Unsupported",
    ),
    "a GPU resource without domain": (
        {"model": URI, "resources": {"gpuResourceName": "gpu"}},
        "resources.gpuResourceName needs",
    ),
    "NVIDIA's label with AMD's GPUs": (
        {"model": URI, "resources": {"gpuResourceName": "amd.com/gpu", "gpuProduct": "MI300X"}},
        "use scheduling.nodeSelector",
    ),
    "memory without a unit": (
        {"model": URI, "resources": {"memory": 32}},
        "resources.memory must be from 512Mi to 16Ti",
    ),
    "memory in words": ({"model": URI, "resources": {"memory": "much"}}, "spec.resources.memory"),
    "too little CPU": ({"model": URI, "resources": {"cpu": "1m"}}, "resources.cpu must be from 100m"),
    "shared memory above memory": (
        {"model": URI, "resources": {"memory": "8Gi", "sharedMemory": "8Gi"}},
        "resources.sharedMemory counts towards",
    ),
    "a flag that has a field": (
        {"model": URI, "server": {"args": ["--port=1"]}},
        "server.args[] takes one flag an element",
    ),
    "a flag and its value apart": (
        {"model": URI, "server": {"args": ["--seed", "1"]}},
        "server.args[] takes one flag an element",
    ),
    "a flag that smuggles": (
        {"model": URI, "server": {"args": ["--seed=1 --api-key=x"]}},
        "server.args[] takes one flag",
    ),
    "a flag on two lines": ({"model": URI, "server": {"args": ["--seed=1\n--port=1"]}}, "server.args[] takes one flag"),
    "a variable of the operator's": (
        {"model": URI, "server": {"env": [{"name": "HF_HUB_OFFLINE", "value": "0"}]}},
        "server.env[].name is set by the operator",
    ),
    "a variable of the server's": (
        {"model": URI, "server": {"env": [{"name": "QWEN_X"}]}},
        "server.env[].name is set by",
    ),
    "a variable that is a Secret's": (
        {"model": URI, "server": {"env": [{"name": "A", "valueFrom": {}}]}},
        'unknown field "spec.server.env[0].valueFrom"',
    ),
    "a variable twice": ({"model": URI, "server": {"env": [{"name": "A"}, {"name": "A"}]}}, "Duplicate value"),
    "too much GPU memory": ({"model": URI, "server": {"gpuMemoryUtilization": 1}}, "spec.server.gpuMemoryUtilization"),
    "an image with a blank": ({"model": URI, "server": {"image": "a b"}}, "spec.server.image"),
    "a port out of range": ({"model": URI, "service": {"port": 70000}}, "spec.service.port"),
    "our own label": (
        {"model": URI, "service": {"labels": {"app.kubernetes.io/name": "x"}}},
        "service.labels must not hold",
    ),
    "a value for Exists": (
        {"model": URI, "scheduling": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
        "scheduling.tolerations[].value must be left out",
    ),
    "a toleration of nothing": (
        {"model": URI, "scheduling": {"tolerations": [{"effect": "NoSchedule"}]}},
        "scheduling.tolerations[].key is needed",
    ),
    "seconds without NoExecute": (
        {"model": URI, "scheduling": {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]}},
        "scheduling.tolerations[].tolerationSeconds is only for",
    ),
    "a size for a claim that is there": (
        {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "cache": {"claimName": "weights", "size": "20Gi"}},
        "cache.claimName names a claim that is there",
    ),
    "an access mode for a claim that is there": (
        {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "cache": {"claimName": "weights", "accessMode": "ReadWriteMany"}},
        "cache.claimName names a claim that is there",
    ),
    "callers of an open network": (
        {"model": URI, "networkPolicy": {"mode": "Off", "from": [{"podSelector": {}}]}},
        "networkPolicy.from needs networkPolicy.mode Restricted",
    ),
    "no callers, which Kubernetes reads as all": (
        {"model": URI, "networkPolicy": {"from": []}},
        "networkPolicy.from must hold somebody",
    ),
    "a caller who is nobody": (
        {"model": URI, "networkPolicy": {"from": [{}]}},
        "networkPolicy.from[] must have podSelector, namespaceSelector or ipBlock",
    ),
    "a caller who is pods and addresses": (
        {"model": URI, "networkPolicy": {"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}},
        "networkPolicy.from[].ipBlock must stand alone",
    ),
    "an address that is no range": (
        {"model": URI, "networkPolicy": {"from": [{"ipBlock": {"cidr": "10.0.0.1"}}]}},
        "networkPolicy.from[].ipBlock.cidr must be a range of addresses",
    ),
    "an address that is none": (
        {"model": URI, "networkPolicy": {"from": [{"ipBlock": {"cidr": "10.0.0.256/8"}}]}},
        "networkPolicy.from[].ipBlock.cidr must be a range of addresses",
    ),
    "an exception that is no range": (
        {"model": URI, "networkPolicy": {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["office"]}}]}},
        "networkPolicy.from[].ipBlock.except[] must be a range of addresses",
    ),
    "a label in a list without values": (
        {"model": URI, "networkPolicy": {"from": [{"podSelector": {"matchExpressions": [NO_VALUES]}}]}},
        "matchExpressions[].values must be given with operator In or NotIn",
    ),
    "a label that exists with values": (
        {"model": URI, "networkPolicy": {"from": [{"namespaceSelector": {"matchExpressions": [VALUES]}}]}},
        "matchExpressions[].values must be given with operator In or NotIn",
    ),
    "a node's label in a list without values": (
        {"model": URI, "scheduling": {"affinity": on_nodes([[NO_VALUES]])}},
        "matchExpressions[].values must be given with operator In or NotIn",
    ),
    "a node's label above two numbers": (
        {"model": URI, "scheduling": {"affinity": on_nodes([[VALUES | {"operator": "Gt", "values": ["1", "2"]}]])}},
        "one whole number with Gt or Lt",
    ),
    "a node's label above a word": (
        {"model": URI, "scheduling": {"affinity": on_nodes([[VALUES | {"operator": "Gt"}]])}},
        "one whole number with Gt or Lt",
    ),
    "nodes that are as nothing says": (
        {"model": URI, "scheduling": {"affinity": on_nodes([])}},
        "nodeSelectorTerms must hold something",
    ),
    "nodes that are as an empty term says": (
        {"model": URI, "scheduling": {"affinity": on_nodes([[]])}},
        "matchExpressions[] must hold something",
    ),
    "a wish without weight": (
        {"model": URI, "scheduling": {"affinity": {"podAffinity": {PREFERRED: [{"podAffinityTerm": NEAR_CHAT}]}}}},
        f"spec.scheduling.affinity.podAffinity.{PREFERRED}[0].weight: Required value",
    ),
    "a wish without end": (
        {
            "model": URI,
            "scheduling": {"affinity": {"podAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": NEAR_CHAT}]}}},
        },
        f"spec.scheduling.affinity.podAffinity.{PREFERRED}[0].weight",
    ),
    "pods of another namespace": (
        {
            "model": URI,
            "scheduling": {"affinity": {"podAntiAffinity": {REQUIRED: [NEAR_CHAT | {"namespaces": ["other"]}]}}},
        },
        "unknown field",
    ),
    "a scheduler's name with a blank": (
        {"model": URI, "scheduling": {"schedulerName": "my scheduler"}},
        "spec.scheduling.schedulerName",
    ),
    "a pod template": ({"model": URI, "podTemplate": {}}, 'unknown field "spec.podTemplate"'),
}


@pytest.mark.parametrize(("spec", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_spec_is_refused_and_the_field_is_named(
    api_server: ApiServer, spec: dict[str, Any], sentence: str
) -> None:
    """Before anything is stored, without a webhook."""
    answer = api_server.trial(QWEN_MODEL, body(spec))

    assert answer["kind"] == "Status"
    assert sentence in answer["message"]


@pytest.mark.parametrize("name", ["qwen3.5", "3qwen", "q" * 45])
def test_a_name_that_no_child_could_bear_is_refused(api_server: ApiServer, name: str) -> None:
    """Services and pods are named after the model."""
    answer = api_server.trial(QWEN_MODEL, body({"model": URI}, name))

    assert answer["kind"] == "Status"
    assert "metadata.name must be" in answer["message"]


ACCEPTED: dict[str, dict[str, Any]] = {
    "one field": {"model": URI},
    "the top of a claim": {"model": {"uri": "pvc://models"}},
    "a deep folder": {"model": {"uri": "pvc://models.v2/Qwen/Qwen3-8B_fp8.v1/"}},
    "a hub model": {"model": {"uri": "hf://Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8@main"}},
    "a bucket": {"model": {"uri": "s3://bucket/a/b"}},
    "an image": {"model": {"uri": "oci://registry.example/model:1"}},
    "a CPU with amounts as numbers": {"model": URI, "device": "CPU", "resources": {"cpu": 2, "memory": 4294967296}},
    "tensor alone": {"model": URI, "parallelism": {"tensor": 4}},
    "every part of a layout": {
        "model": {**URI, "kvCacheDtype": "FP8"},
        "resources": {"gpus": 8, "gpuProduct": "NVIDIA-H200", "gpuMemory": "141Gi"},
        "parallelism": {"tensor": 4, "pipeline": 2, "expert": "Enabled"},
        "validation": {"fit": "Warn", "headroom": "2.5%"},
    },
    "ranks with GPUs of their own": {"model": URI, "resources": {"gpus": 8}, "parallelism": {"tensor": 4, "data": 2}},
    "ranks alone": {"model": URI, "parallelism": {"data": 8, "expert": "Enabled"}},
    "a CPU with an open layout": {"model": URI, "device": "CPU", "parallelism": {}, "validation": {"fit": "Off"}},
    "stages": {"model": URI, "resources": {"gpus": 8}, "parallelism": {"tensor": 4}},
    "a MIG slice": {
        "model": URI,
        "resources": {"gpuResourceName": "nvidia.com/mig-3g.40gb", "gpuProduct": "NVIDIA-H100"},
    },
    "another vendor": {"model": URI, "resources": {"gpuResourceName": "amd.com/gpu", "gpus": 8}},
    "flags": {"model": URI, "server": {"args": ["--enforce-eager", "--load-format=auto", "--seed=7"]}},
    "variables": {
        "model": URI,
        "server": {"env": [{"name": "VLLM_LOGGING_LEVEL", "value": "DEBUG"}, {"name": "EMPTY"}]},
    },
    "tolerations": {
        "model": URI,
        "scheduling": {
            "tolerations": [
                {"operator": "Exists"},
                {"key": "a", "value": "b"},
                {"key": "c", "effect": "NoExecute", "tolerationSeconds": 60},
            ]
        },
    },
    "a rollout": {
        "model": URI,
        "server": {"stallTimeout": "1h30m"},
        "rollout": {"strategy": "InPlace", "drainTimeout": "0s", "autoRollback": "Off"},
    },
    "a claim to fetch into": {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "cache": {"claimName": "weights"}},
    "every kind of affinity": {
        "model": URI,
        "scheduling": {
            "schedulerName": "volcano",
            "affinity": {
                "nodeAffinity": {
                    **on_nodes([[{"key": "gpus", "operator": "Gt", "values": ["3"]}], [VALUES | {"values": []}]])[
                        "nodeAffinity"
                    ],
                    PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [NO_VALUES | {"values": ["red"]}]}}],
                },
                "podAffinity": {PREFERRED: [{"weight": 100, "podAffinityTerm": NEAR_CHAT}]},
                "podAntiAffinity": {REQUIRED: [NEAR_CHAT | {"labelSelector": {}}]},
            },
        },
    },
    "callers of every kind": {
        "model": URI,
        "networkPolicy": {
            "from": [
                {"podSelector": {}},
                {
                    "namespaceSelector": {
                        "matchExpressions": [{"key": "team", "operator": "In", "values": ["red", "blue"]}]
                    }
                },
                {"podSelector": {"matchLabels": {"app": "chat"}}, "namespaceSelector": {}},
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                {"ipBlock": {"cidr": "fd00:1::/32"}},
            ]
        },
    },
    "no replicas": {"model": URI, "replicas": 0, "suspend": True},
    "the longest name of a model id": {"model": {**URI, "servedName": "Q" * 128}},
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_good_spec_is_let_pass_and_can_be_read(api_server: ApiServer, spec: dict[str, Any]) -> None:
    """The stored object, defaults included, is what the operator's types decode."""
    answer = api_server.trial(QWEN_MODEL, body(spec))

    assert answer["kind"] == "QwenModel", answer.get("message")
    assert parse(answer).spec == parse(body(spec)).spec


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_let_pass(api_server: ApiServer, example: Any) -> None:
    """As it stands."""
    answer = api_server.trial(QWEN_MODEL, yaml.safe_load(example.read_text()))

    assert answer["kind"] == "QwenModel", answer.get("message")


def test_the_definition_has_no_complaint_of_the_api_server(api_server: ApiServer) -> None:
    """Structural, names accepted, established."""
    found = api_server.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/qwenmodels.qwen-operator.io")

    verdicts = {entry["type"]: entry["status"] for entry in found["status"]["conditions"]}
    assert verdicts == {"NamesAccepted": "True", "Established": "True"}


def test_a_model_that_nobody_has_looked_at_says_so(api_server: ApiServer) -> None:
    """kstatus would take it for one that is as asked, and `kubectl get` would show nothing."""
    api_server.apply(QWEN_MODEL, body({"model": URI}, "unseen"))

    found = api_server.get(QWEN_MODEL.path("team", "unseen"))

    assert found["status"] == UNSEEN
    assert kstatus.verdict(found) == "InProgress"
