"""The chart's admission policy on both API servers: what the operator makes is let pass, all else is refused.

Every request is one that the operator's Role allows, so nothing but the policy stands in the way.
"""

import copy
from typing import Any

import pytest
import yaml

from qwen_operator.core import kinds, names
from qwen_operator.core.desired.image_job import image_job
from qwen_operator.rendering import manifests_of
from tests.builders import GOLDEN, SETTINGS, a_model
from tests.operator_api.rights.account import HOME, TEAM, Account, Answer

Json = dict[str, Any]

BY_KIND = {kind.kind: kind for kind in kinds.ALL if not kind.subresource}


def golden() -> dict[str, Json]:
    """Every child that is made for an example."""
    return {
        f"{path.stem}, {manifest['kind']} {manifest['metadata']['name']}": manifest
        for path in sorted((GOLDEN / "children").glob("*.yaml"))
        for manifest in yaml.safe_load_all(path.read_text())
    }


FETCHED: dict[str, Json] = {
    "hub": {"model": {"uri": "hf://Qwen/Qwen3-8B", "credentialsRef": {"name": "hub"}}, "cache": {"size": "20Gi"}},
    "bucket": {
        "model": {"uri": "s3://bucket/qwen3", "credentialsRef": {"name": "store"}},
        "cache": {"size": "20Gi", "retain": "Delete"},
        "replicas": 3,
    },
    "an image": {
        "model": {"uri": "oci://registry.example.com/ai/qwen3-8b:1"},
        "resources": {"gpuProduct": "NVIDIA-H200"},
    },
    "shared claim": {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "cache": {"claimName": "shared", "verify": "Checksum"}},
}
"""Specs whose weights are fetched or looked at, with all that no example holds."""


def fetched() -> dict[str, Json]:
    """Every child of a model whose weights are fetched."""
    return {
        f"{title}, {manifest['kind']}": manifest
        for title, spec in FETCHED.items()
        for manifest in manifests_of(a_model("qwen3", **spec), SETTINGS)
    }


def pulled() -> dict[str, Json]:
    """The Job that pulls the image of a change."""
    model, image = a_model("qwen3", rollout={"strategy": "InPlace"}), "registry.example/qwen-operator/server:2"
    return {"an image on two nodes, Job": image_job(model, image, "IfNotPresent", ("node-a", "node-b"))}


def here(manifest: Json) -> Json:
    """The manifest in the namespace that is served."""
    return manifest | {"metadata": manifest["metadata"] | {"namespace": TEAM}}


CHILDREN = {title: here(manifest) for title, manifest in {**golden(), **fetched(), **pulled()}.items()}
DEPLOYMENT = CHILDREN["gpu, Deployment qwen3-coder"]
SERVICE = CHILDREN["gpu, Service qwen3-coder"]
POLICY = CHILDREN["gpu, NetworkPolicy qwen3-coder"]
SECRET = CHILDREN["gpu, Secret qwen3-coder-api-keys"]
BUDGET = CHILDREN["small-gpu, PodDisruptionBudget qwen3-8b"]
CLAIM = CHILDREN["hub, PersistentVolumeClaim"]
JOB = CHILDREN["bucket, Job"]
OWNER = DEPLOYMENT["metadata"]["ownerReferences"][0]
EVENT: Json = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "qwen3-coder.0123", "namespace": TEAM},
    "involvedObject": {"apiVersion": kinds.API_VERSION, "kind": "QwenModel", "namespace": TEAM, "name": "qwen3-coder"},
    "type": "Normal",
    "reason": "Ready",
    "message": "Told.",
    "source": {"component": names.FIELD_MANAGER},
    "reportingComponent": names.FIELD_MANAGER,
}
LEASE: Json = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": names.LEASE}}

POD = "spec.template.spec"
BOX = f"{POD}.containers.0"
ABSENT = object()


def changed(manifest: Json, **at: Any) -> Json:
    """A copy with other values at some places; `ABSENT` takes a field away. A `/` in a place is a dot in a key."""
    result = copy.deepcopy(manifest)
    for place, value in at.items():
        *way, last = place.split(".")
        target: Any = result
        for step in way:
            target = target[int(step)] if step.isdigit() else target.setdefault(step, {})
        key: Any = int(last) if last.isdigit() else last
        if value is ABSENT:
            del target[key]
        elif isinstance(target, list) and key == len(target):
            target.append(value)
        else:
            target[key] = value
    return result


def labelled(manifest: Json, place: str, **labels: str) -> Json:
    """A copy with other labels at a place; their names are those of `names`."""
    result = copy.deepcopy(manifest)
    target: Any = result
    for step in place.split("."):
        target = target.setdefault(step, {})
    target |= {getattr(names, name): value for name, value in labels.items()}
    return result


def tried(account: Account, manifest: Json) -> Answer:
    """The answer to what the operator would send; nothing is kept."""
    kind = BY_KIND[manifest["kind"]]
    if kind == kinds.SECRET:
        return account.create(kind, {"stringData": {names.GENERATED_KEY: "not-a-key"}} | manifest, trial=True)
    if kind == kinds.LEASE:
        return account.create(kind, manifest, trial=True, namespace=HOME)
    return account.apply(kind, manifest, trial=True)


ALLOWED: dict[str, Json] = CHILDREN | {
    "an event about a model": EVENT,
    "its Lease": LEASE,
    "an image by digest": changed(
        DEPLOYMENT, **{f"{BOX}.image": "registry.example/qwen-operator/server@sha256:" + "a" * 64}
    ),
    "an image by tag and digest": changed(
        DEPLOYMENT, **{f"{BOX}.image": "registry.example/qwen-operator/server:x@sha256:" + "a" * 64}
    ),
    "an image of a registry that is allowed": changed(
        DEPLOYMENT, **{f"{BOX}.image": "registry.example.com/ai/deep/er:1"}
    ),
    "a load balancer": changed(SERVICE, **{"spec.type": "LoadBalancer"}),
    "a pause before a pod's end": changed(DEPLOYMENT, **{f"{BOX}.lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}),
}


@pytest.mark.parametrize("manifest", ALLOWED.values(), ids=ALLOWED)
def test_what_the_operator_makes_is_let_pass(operator: Account, manifest: Json) -> None:
    """Each child of each example, and the variants that a spec may ask for."""
    answer = tried(operator, manifest)

    assert answer.allowed, answer.message


def security(**at: Any) -> Json:
    """The Deployment with another security context of its container."""
    return changed(DEPLOYMENT, **{f"{BOX}.securityContext.{name}": value for name, value in at.items()})


def of_pod(**at: Any) -> Json:
    """The Deployment with other fields of its pod."""
    return changed(DEPLOYMENT, **{f"{POD}.{name}": value for name, value in at.items()})


def of_box(**at: Any) -> Json:
    """The Deployment with other fields of its container."""
    return changed(DEPLOYMENT, **{f"{BOX}.{name}": value for name, value in at.items()})


SIDECAR = {**DEPLOYMENT["spec"]["template"]["spec"]["containers"][0], "name": "beside"}
FIRST = {field: value for field, value in SIDECAR.items() if "Probe" not in field} | {"image": "evil.example/x:1"}
LAST = len(DEPLOYMENT["spec"]["template"]["spec"]["volumes"])
REFUSED: dict[str, tuple[Json, str]] = {
    "a child without a model": (changed(DEPLOYMENT, **{"metadata.ownerReferences": []}), "as its controller"),
    "a child of a Deployment": (
        changed(SERVICE, **{"metadata.ownerReferences": [OWNER | {"kind": "Deployment", "apiVersion": "apps/v1"}]}),
        "as its controller",
    ),
    "a child of a namesake": (
        changed(POLICY, **{"metadata.ownerReferences": [OWNER | {"apiVersion": "qwen-operator.io.evil/v1"}]}),
        "as its controller",
    ),
    "a model that is no controller": (
        changed(BUDGET, **{"metadata.ownerReferences": [OWNER | {"controller": False}]}),
        "as its controller",
    ),
    "a Secret without a model": (changed(SECRET, **{"metadata.ownerReferences": []}), "as its controller"),
    "a child without our label": (changed(JOB, **{"metadata.labels": {"a": "b"}}), "bear the labels"),
    "a child with the label of another model": (
        labelled(SERVICE, "metadata.labels", INSTANCE="other"),
        "bear the labels",
    ),
    "an image of another registry": (of_box(image="evil.example/server:1"), "that the chart allows"),
    "an image whose registry begins alike": (
        of_box(image="registry.example.com.evil.example/ai/server:1"),
        "that the chart allows",
    ),
    "an image whose name begins alike": (
        of_box(image="registry.example/qwen-operator/server-evil:1"),
        "that the chart allows",
    ),
    "an image on another port": (of_box(image="registry.example.com:5000/ai/server:1"), "that the chart allows"),
    "an image in a Job": (changed(JOB, **{f"{BOX}.image": "evil.example/fetch:1"}), "that the chart allows"),
    "a second container with another image": (
        changed(DEPLOYMENT, **{f"{POD}.containers.1": SIDECAR | {"image": "evil.example/x:1"}}),
        "that the chart allows",
    ),
    "a container before the first": (
        of_pod(initContainers=[FIRST]),
        "that the chart allows",
    ),
    "a shell": (of_box(command=["sh"]), "run the server or fetch weights"),
    "the image's own command": (of_box(command=ABSENT), "run the server or fetch weights"),
    "a command at the end": (of_box(lifecycle={"preStop": {"exec": {"command": ["sh"]}}}), "no other program"),
    "a command at the start": (of_box(lifecycle={"postStart": {"sleep": {"seconds": 1}}}), "no other program"),
    "a probe that is a command": (of_box(livenessProbe={"exec": {"command": ["sh"]}}), "no other program"),
    "the whole of a Secret as environment": (
        of_box(envFrom=[{"secretRef": {"name": "theirs"}}]),
        "no other program",
    ),
    "a Secret in the environment of a replica": (
        changed(
            DEPLOYMENT,
            **{f"{BOX}.env.0": {"name": "AWS_REGION", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}},
        ),
        "no Secret but the keys of an object store",
    ),
    "any Secret in the environment of a Job": (
        changed(JOB, **{f"{BOX}.env.0": {"name": "X", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}}),
        "no Secret but the keys of an object store",
    ),
    "the host's network": (of_pod(hostNetwork=True), "nothing with its host"),
    "the host's processes": (of_pod(hostPID=True), "nothing with its host"),
    "a node of its choice": (of_pod(nodeName="node-1"), "placed by the scheduler"),
    "a service account": (of_pod(serviceAccountName="admin"), "no service account"),
    "a token": (of_pod(automountServiceAccountToken=True), "no service account"),
    "a token by default": (of_pod(automountServiceAccountToken=ABSENT), "no service account"),
    "root": (of_pod(**{"securityContext.runAsUser": 0}), "must be restricted: not root"),
    "perhaps root": (of_pod(**{"securityContext.runAsNonRoot": ABSENT}), "must be restricted: not root"),
    "no seccomp profile": (
        of_pod(**{"securityContext.seccompProfile": {"type": "Unconfined"}}),
        "must be restricted: not root",
    ),
    "a folder of the host": (
        of_pod(**{f"volumes.{LAST}": {"name": "host", "hostPath": {"path": "/"}}}),
        "claims, images, Secrets and scratch space",
    ),
    "a model from elsewhere": (
        of_pod(**{f"volumes.{LAST}": {"name": "m", "image": {"reference": "registry.example.org/qwen3:1"}}}),
        "an image with a model must be one of those that the chart allows",
    ),
    "a projected token": (
        of_pod(
            **{f"volumes.{LAST}": {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}}
        ),
        "claims, images, Secrets and scratch space",
    ),
    "a label that something else selects by": (
        changed(DEPLOYMENT, **{"spec.template.metadata.labels.app": "payments"}),
        "no label by which",
    ),
    "an annotation that something else acts on": (
        changed(DEPLOYMENT, **{"spec.template.metadata.annotations": {"k8s/networks": "x"}}),
        "no annotation that others act on",
    ),
    "escalation": (security(allowPrivilegeEscalation=True), "a container must be restricted"),
    "privileges": (security(privileged=True, allowPrivilegeEscalation=ABSENT), "a container must be restricted"),
    "a root file system that can be written": (security(readOnlyRootFilesystem=False), "must be restricted"),
    "a capability": (security(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}), "must be restricted"),
    "capabilities kept": (security(capabilities={"drop": ["NET_RAW"]}), "must be restricted"),
    "root in the container": (security(runAsUser=0), "must be restricted"),
    "another seccomp profile of the container": (
        security(seccompProfile={"type": "Unconfined"}),
        "must be restricted",
    ),
    "a port of the host": (
        of_box(ports=[{"name": "api", "containerPort": 8000, "hostPort": 80}]),
        "no port of its host",
    ),
    "a Service for others' pods": (changed(SERVICE, **{"spec.selector": {"app": "payments"}}), "must lead to the pods"),
    "a Service at an address of its choice": (
        changed(SERVICE, **{"spec.externalIPs": ["203.0.113.1"]}),
        "must lead to the pods",
    ),
    "a way out for replicas": (changed(POLICY, **{"spec.egress": [{}]}), "must let nobody out"),
    "a way out for all pods about weights": (
        labelled(changed(POLICY, **{"spec.egress": [{}]}), "spec.podSelector.matchLabels", COMPONENT=names.WEIGHTS),
        "must let nobody out",
    ),
    "a policy about all pods": (changed(POLICY, **{"spec.podSelector": {}}), "NetworkPolicy must be about the pods"),
    "a budget of others' pods": (
        changed(BUDGET, **{"spec.selector": {"matchLabels": {"app": "payments"}}}),
        "PodDisruptionBudget must be about the pods",
    ),
    "a token of a service account": (
        changed(
            SECRET,
            **{
                "type": "kubernetes.io/service-account-token",
                "metadata.annotations": {"kubernetes.io/service-account.name": "admin"},
            },
        ),
        "must be Opaque",
    ),
    "a Secret with more than a key": (
        SECRET | {"stringData": {names.GENERATED_KEY: "x", "tls.key": "y"}},
        "must be Opaque",
    ),
    "a claim that is not for weights": (changed(CLAIM, **{"metadata.labels": {}}), "bear the labels of weights"),
    "a claim on a volume of its choice": (changed(CLAIM, **{"spec.volumeName": "theirs"}), "name neither a volume"),
    "a claim with somebody's data": (
        changed(CLAIM, **{"spec.dataSource": {"kind": "PersistentVolumeClaim", "name": "theirs"}}),
        "name neither a volume",
    ),
    "a claim of a Deployment": (
        changed(CLAIM, **{"metadata.ownerReferences": [OWNER | {"kind": "Deployment", "apiVersion": "apps/v1"}]}),
        "no owner but a QwenModel",
    ),
    "an event about a pod": (
        changed(EVENT, **{"involvedObject.kind": "Pod", "involvedObject.apiVersion": "v1"}),
        "about a QwenModel",
    ),
    "an event in another's name": (changed(EVENT, reportingComponent="kubelet"), "by the operator"),
    "another Lease": (changed(LEASE, **{"metadata.name": "kube-scheduler"}), "the only Lease"),
}


@pytest.mark.parametrize(("manifest", "sentence"), REFUSED.values(), ids=REFUSED)
def test_whoever_holds_the_operators_token_can_make_nothing_else(
    operator: Account, manifest: Json, sentence: str
) -> None:
    """The refusal names the rule."""
    answer = tried(operator, manifest)

    assert (answer.status, "ValidatingAdmissionPolicy 'rights-ops-qwen-operator'" in answer.message) == (403, True)
    assert sentence in answer.message


def test_at_least_twenty_objects_are_let_pass_and_twenty_refused() -> None:
    """Of every kind that the operator may write."""
    written = {kind.kind for kind in kinds.ALL if {"create", "patch", "update"} & {*kind.verbs}}
    for table in (list(ALLOWED.values()), [manifest for manifest, _ in REFUSED.values()]):
        assert len(table) >= 20
        assert {manifest["kind"] for manifest in table} == written - {"QwenModel"}


@pytest.mark.parametrize("manifest", [m for m, _ in REFUSED.values()], ids=REFUSED)
def test_the_policy_binds_nobody_else(admin: Account, manifest: Json) -> None:
    """What is refused to the operator is not refused to others by this policy."""
    assert "ValidatingAdmissionPolicy" not in tried(admin, manifest).message
