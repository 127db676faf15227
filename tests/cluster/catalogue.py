"""The models that cannot serve, each with the reason that it comes to and what a person is told.

A table and nothing else: test_reasons.py applies all of it at once.
"""

import os
from typing import Any, NamedTuple

from hack.cluster.network import NODE_NAME
from hack.cluster.pause import IMAGE as PAUSE
from tests.cluster import surroundings
from tests.cluster.conftest import CLAIM, FOLDER
from tests.cluster.surroundings import FOREIGN_GPU
from tests.cluster.troubles import Trouble

TORN = "torn"
"""A folder whose weights do not fit its config.json; it holds two more, `half` and `strange`."""
OURS = not os.environ.get("CONTEXT")
"""Whether the cluster is the ring's own, whose node and image names are known, and may be meddled with."""
GOOD = {"uri": f"pvc://{CLAIM}/{FOLDER}"}
SMALL = {"cpu": "100m"}
"""Many of them have a pod at once; asking for the default of 500m, they would wait for each other on two cores."""
TIGHT = {**SMALL, "memory": "512Mi", "sharedMemory": "64Mi"}
CPU: dict[str, Any] = {"device": "CPU", "model": GOOD, "resources": SMALL}
BRIEF: dict[str, Any] = {**CPU, "resources": TIGHT}
"""Of a pod that ends before it loads anything."""


def on(claim: str) -> dict[str, str]:
    """A model on another claim."""
    return {"uri": f"pvc://{claim}/{FOLDER}"}


EDIT = "kubectl edit qwenmodel {it}"
POD = "kubectl describe pod "
LOG = "kubectl logs "
VOLUMES = "kubectl describe pvc "
TROUBLES: dict[str, Trouble] = {
    # --- what the spec refers to
    "no-claim": Trouble(
        {"device": "CPU", "model": {"uri": "pvc://nowhere/some-model"}},
        "ClaimNotFound",
        ("PersistentVolumeClaim nowhere", "does not exist", "Create it, or correct model.uri."),
        "kubectl get pvc -n ",
        kind="Accepted",
    ),
    "lost-claim": Trouble(
        {**BRIEF, "model": on("lost")},
        "ClaimLost",
        ("PersistentVolumeClaim lost has lost its volume lost-that-was-here",),
        VOLUMES + "lost -n ",
        kind="Accepted",
        beside=(surroundings.lost_claim("lost"),),
    ),
    "leaving-claim": Trouble(
        {**BRIEF, "model": on("leaving")},
        "ClaimBeingDeleted",
        ("PersistentVolumeClaim leaving is being deleted",),
        VOLUMES + "leaving -n ",
        kind="Accepted",
        beside=(surroundings.held_claim("leaving"),),
    ),
    "homeless": Trouble(
        {**BRIEF, "model": on("homeless")},
        "ClaimPending",
        ("PersistentVolumeClaim homeless is not bound", "what its StorageClass waits for"),
        VOLUMES + "homeless -n ",
        beside=(surroundings.claim("homeless", storageClassName="nowhere"),),
    ),
    "no-scheduler": Trouble(
        {**CPU, "scheduling": {"schedulerName": "nobody"}},
        "SchedulerSilent",
        ("more than 2 minutes", "the scheduler nobody", "Correct scheduling.schedulerName"),
        "kubectl get pods -A -o custom-columns=",
    ),
    "no-hub": Trouble(
        {"device": "CPU", "model": {"uri": "hf://Qwen/Qwen3-8B"}},
        "SourceUnreachable",
        ("cannot be reached", "egress rules of the weights Job", "tried again by itself"),
        "kubectl qwen status {it} --watch",
        kind="WeightsReady",
    ),
    # --- what the API server refuses
    "taken": Trouble(
        {**BRIEF, "suspend": True},
        "NameTaken",
        ("Service taken exists and does not belong to this model",),
        "kubectl get deployments,services,",
        kind="Applied",
        beside=(surroundings.service("taken"),),
    ),
    "no-balancer": Trouble(
        {**BRIEF, "suspend": True, "service": {"type": "LoadBalancer"}},
        "Forbidden",
        ("write Service no-balancer", "exceeded quota: team", "its quotas"),
        "kubectl get roles,rolebindings -n ",
        kind="Applied",
        beside=(surroundings.quota(),),
    ),
    "no-such-label": Trouble(
        {**BRIEF, "suspend": True, "scheduling": {"nodeSelector": {"not a label": "x"}}},
        "ApiRefused",
        ("refused Deployment no-such-label", "nodeSelector", "Correct the field it names"),
        EDIT,
        kind="Applied",
    ),
    "over-quota": Trouble(
        {"model": GOOD, "resources": {"gpus": 8, "gpuResourceName": FOREIGN_GPU}},
        "QuotaExceeded",
        ("allows no further replica", "exceeded quota: team", "Lower spec.replicas or spec.resources"),
        "kubectl describe resourcequota -n ",
        beside=(surroundings.quota(),),
    ),
    "no-priority": Trouble(
        {**BRIEF, "scheduling": {"priorityClassName": "highest-of-all"}},
        "ReplicaRefused",
        ("no PriorityClass with name highest-of-all was found",),
        EDIT,
    ),
    # --- what the scheduler does not find
    "no-gpu": Trouble(
        {"device": "GPU", "model": GOOD, "resources": {"gpus": 8}},
        "InsufficientGPU",
        ("8 free nvidia.com/gpu", "lower resources.gpus"),
        "kubectl get nodes -o custom-columns='NODE:.metadata.name,GPUS:",
    ),
    "too-much": Trouble(
        {**BRIEF, "resources": {**TIGHT, "cpu": "999"}},
        "InsufficientCPUOrMemory",
        ("No node has 999 CPU", "lower resources.cpu"),
        "kubectl get nodes -o custom-columns='NODE:.metadata.name,CPU:",
    ),
    "no-node": Trouble(
        {**BRIEF, "scheduling": {"nodeSelector": {"pool": "nowhere"}}},
        "NoNodeMatches",
        ("No node matches", "Correct scheduling.nodeSelector"),
        "kubectl get nodes --show-labels",
    ),
    "elsewhere": Trouble(
        {**BRIEF, "model": on("elsewhere")},
        "VolumeNodeConflict",
        ("The volume of claim elsewhere can't be used", "on a volume that these nodes reach"),
        VOLUMES + "elsewhere -n ",
        beside=(surroundings.claim("elsewhere", volumeName="{namespace}-elsewhere"),),
    ),
    "one-at-a-time": Trouble(
        {**BRIEF, "model": on("single")},
        "AccessModeConflict",
        ("Claim single may be used by one pod at a time", "or one replica"),
        VOLUMES + "single -n ",
        beside=(surroundings.claim("single", mode="ReadWriteOncePod", volumeName="{namespace}-single"),),
    ),
    # --- what the kubelet can't start
    "no-registry": Trouble(
        {**BRIEF, "server": {"image": f"{surroundings.NOBODY}/nobody/nothing:1"}},
        "ImagePullFailed",
        ("localhost:1/nobody/nothing:1",),
        POD + "no-registry-",
    ),
    "no-model-image": Trouble(
        {**BRIEF, "model": {"uri": "oci://{registry}/nothing:1"}},
        "ImageNotFound",
        ("There is no image", "/nothing:1", "Correct model.uri, or push the image"),
        EDIT,
    ),
    "no-image": Trouble(
        {**BRIEF, "server": {"image": "{registry}/nothing:1"}},
        "ImageNotFound",
        ("There is no image", "/nothing:1", "push the image"),
        EDIT,
    ),
    "crash": Trouble(
        {**BRIEF, "server": {"env": [{"name": "PYTHONHASHSEED", "value": "none"}]}},
        "CrashLoop",
        ("ended with exit code 1", "PYTHONHASHSEED", "--previous shows all of it"),
        LOG + "crash-",
    ),
    # --- what the server itself says
    "no-folder": Trouble(
        {**BRIEF, "model": {"uri": f"pvc://{CLAIM}/not-there"}},
        "ModelPathNotFound",
        (f"pvc://{CLAIM}/not-there", "Correct the folder in model.uri"),
        EDIT,
    ),
    "half": Trouble(
        {**BRIEF, "model": {"uri": f"pvc://{CLAIM}/{TORN}/half"}},
        "ModelInvalid",
        ("holds no weights", "It needs config.json, a tokenizer and safetensors files."),
        EDIT,
    ),
    "no-key": Trouble(
        {**BRIEF, "auth": {"secretName": "empty-keys"}},
        "NoUsableKey",
        ("Secret empty-keys", "Add an entry"),
        "kubectl qwen keys create no-key default -n ",
        beside=(surroundings.empty_secret("empty-keys"),),
    ),
    "too-little": Trouble(
        {"device": "CPU", "model": GOOD, "resources": TIGHT},
        "HostOutOfMemory",
        ("limit 512Mi", "Raise resources.memory"),
        EDIT,
    ),
    "too-long": Trouble(
        {**CPU, "model": {**GOOD, "contextLength": 1_000_000}},
        "ContextTooLong",
        ("Lower model.contextLength",),
        EDIT,
    ),
    "no-engine": Trouble(
        {**CPU, "server": {"args": ["--block-size=0"]}},
        "InvalidArgument",
        ("'0' is not a whole number of 1 or more", "Correct server.args"),
        EDIT,
    ),
    "strange": Trouble(
        {**CPU, "model": {"uri": f"pvc://{CLAIM}/{TORN}/strange"}},
        "UnsupportedQuantization",
        ("Unknown quantization method", "Serve another build of the model"),
        EDIT,
    ),
    "torn": Trouble(
        {**CPU, "model": {"uri": f"pvc://{CLAIM}/{TORN}"}},
        "CorruptWeights",
        ("are damaged, or not of one model", "not initialized from checkpoint", "compare their sizes"),
        LOG + "torn-",
    ),
    # --- nothing is wrong, and yet it does not serve
    "resting": Trouble(
        {**BRIEF, "suspend": True},
        "Suspended",
        ("spec.suspend is true", "Set it to false to serve."),
        "kubectl patch qwenmodel {it} --type merge",
        kind="Ready",
    ),
    "none-asked": Trouble(
        {**BRIEF, "replicas": 0},
        "ScaledToZero",
        ("spec.replicas is 0", "Raise it to serve."),
        "kubectl scale qwenmodel {it} --replicas 1",
        kind="Ready",
    ),
}
if OURS:
    TROUBLES |= {
        "private": Trouble(
            {**BRIEF, "server": {"image": f"{surroundings.PRIVATE}/private/model:1"}},
            "ImageUnauthorized",
            ("does not let the node pull image", "401 Unauthorized", "server.imagePullSecrets"),
            EDIT,
        ),
        "model-in-an-image": Trouble(
            {**BRIEF, "model": {"uri": "oci://{server}"}},
            "ImageVolumesUnsupported",
            (f"The container runtime of node {NODE_NAME} can't mount image", "It takes containerd 2.1"),
            "kubectl get nodes -o custom-columns=",
        ),
        "no-program": Trouble(
            {**BRIEF, "server": {"image": PAUSE}},
            "ContainerCreateFailed",
            ("qwen-server", "not found"),
            POD + "no-program-",
        ),
    }


class Closed(NamedTuple):
    """A node that takes no pod, and what comes of that."""

    shut: tuple[str, ...]
    """What kubectl is told, so that the node takes none."""
    opened: tuple[str, ...]
    trouble: Trouble


TAINT = "qwen-e2e=true:NoSchedule"
CLOSED = {
    "tainted": Closed(
        ("taint", "node", NODE_NAME, TAINT),
        ("taint", "node", NODE_NAME, f"{TAINT}-"),
        Trouble(
            BRIEF,
            "TaintNotTolerated",
            ("had untolerated taint", "scheduling.tolerations"),
            "kubectl get nodes -o custom-columns='NODE:.metadata.name,TAINTS:",
        ),
    ),
    "cordoned": Closed(
        ("cordon", NODE_NAME),
        ("uncordon", NODE_NAME),
        Trouble(BRIEF, "Unschedulable", ("were unschedulable",), POD),
    ),
}
PROVOKED = frozenset(
    {trouble.reason for trouble in TROUBLES.values()} | {closed.trouble.reason for closed in CLOSED.values()}
)
"""Every reason that test_reasons.py comes to."""
