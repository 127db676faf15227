"""Two values for each field of a QwenModel: what `changes` changes.

Why it exists: no schema tells two values that are both allowed and differ in effect. It must never say what they do.
"""

from typing import Any

FETCHED: dict[str, Any] = {"model": {"uri": "hf://Qwen/Qwen3-8B"}, "resources": {"gpus": 4}}

BESIDE: dict[str, dict[str, Any]] = {
    "": FETCHED,
    "model.credentialsRef.key": FETCHED | {"model": {"uri": "hf://Qwen/Qwen3-8B", "credentialsRef": {"name": "hub"}}},
    "device": {"model": {"uri": "hf://Qwen/Qwen3-8B"}},
    "disruption": FETCHED | {"replicas": 2},
    "parallelism.expert": FETCHED | {"parallelism": {"tensor": 4}},
    "server.env[].value": FETCHED | {"server": {"env": [{"name": "A"}]}},
    "scheduling.tolerations[]": FETCHED | {"scheduling": {"tolerations": [{"key": "a"}]}},
    "scheduling.tolerations[].tolerationSeconds": FETCHED
    | {"scheduling": {"tolerations": [{"key": "a", "effect": "NoExecute"}]}},
    "scheduling.topologySpreadConstraints[]": FETCHED
    | {"scheduling": {"topologySpreadConstraints": [{"topologyKey": "zone"}]}},
}
"""The rest of the spec, by the beginning of a path; the longest one that matches counts."""

BATCH = {"labelSelector": {"matchLabels": {"app": "batch"}}, "topologyKey": "kubernetes.io/hostname"}
"""Nodes where other people's pods are."""

PROBES: dict[str, tuple[Any, Any]] = {
    "model.uri": ("hf://Qwen/Qwen3-8B@v1", "hf://Qwen/Qwen3-8B@v2"),
    "model.servedName": (None, "Qwen/Qwen3-8B"),
    "model.contextLength": (None, 32768),
    "model.dtype": ("Auto", "Float16"),
    "model.kvCacheDtype": ("Auto", "FP8"),
    "model.toolCallParser": ("Auto", "Hermes"),
    "model.reasoningParser": ("Auto", "None"),
    "model.credentialsRef.name": ("hub", "other"),
    "model.credentialsRef.key": ("token", "other"),
    "device": ("GPU", "CPU"),
    "replicas": (2, 3),
    "suspend": (False, True),
    "resources.gpus": (4, 8),
    "resources.gpuResourceName": (None, "nvidia.com/mig-3g.40gb"),
    "resources.gpuProduct": (None, "NVIDIA-H200"),
    "resources.gpuMemory": (None, "141Gi"),
    "resources.cpu": (None, "8"),
    "resources.memory": (None, "64Gi"),
    "resources.sharedMemory": (None, "8Gi"),
    "parallelism.tensor": (4, 2),
    "parallelism.pipeline": (1, 2),
    "parallelism.data": (1, 2),
    "parallelism.expert": ("Disabled", "Enabled"),
    "validation.fit": ("Enforce", "Warn"),
    "validation.headroom": ("3%", "5%"),
    "server.image": (None, "registry.example/server:2"),
    "server.imagePullPolicy": (None, "Always"),
    "server.imagePullSecrets[].name": ("registry", "other"),
    "server.args": (None, ["--seed=1"]),
    "server.env[].name": ("A", "B"),
    "server.env[].value": (None, "1"),
    "server.gpuMemoryUtilization": (None, 0.8),
    "server.maxNumSeqs": (None, 64),
    "server.contextOverflow": ("Reject", "Clamp"),
    "server.stallTimeout": (None, "20m"),
    "auth.secretName": (None, "keys"),
    "auth.generate": (True, False),
    "service.type": ("ClusterIP", "LoadBalancer"),
    "service.port": (8000, 80),
    "service.annotations": (None, {"a": "b"}),
    "service.labels": (None, {"a": "b"}),
    "cache.claimName": ("weights", "others"),
    "cache.storageClassName": ("fast", "slow"),
    "cache.size": ("20Gi", "40Gi"),
    "cache.accessMode": ("ReadWriteOnce", "ReadWriteMany"),
    "cache.retain": ("Retain", "Delete"),
    "cache.verify": ("Size", "Checksum"),
    "rollout.strategy": ("Auto", "InPlace"),
    "rollout.drainTimeout": ("5m", "10m"),
    "rollout.autoRollback": ("LastGood", "Off"),
    "networkPolicy.mode": ("Restricted", "Off"),
    "networkPolicy.from": (None, [{"namespaceSelector": {"matchLabels": {"team": "red"}}}]),
    "disruption.podDisruptionBudget": ("Auto", "None"),
    "scheduling.nodeSelector": (None, {"a": "b"}),
    "scheduling.tolerations[].key": ("a", "b"),
    "scheduling.tolerations[].operator": ("Equal", "Exists"),
    "scheduling.tolerations[].value": (None, "b"),
    "scheduling.tolerations[].effect": (None, "NoSchedule"),
    "scheduling.tolerations[].tolerationSeconds": (None, 60),
    "scheduling.topologySpreadConstraints[].topologyKey": ("zone", "rack"),
    "scheduling.topologySpreadConstraints[].maxSkew": (1, 2),
    "scheduling.topologySpreadConstraints[].whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    "scheduling.affinity": (None, {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [BATCH]}}),
    "scheduling.schedulerName": (None, "volcano"),
    "scheduling.priorityClassName": (None, "high"),
    "scheduling.runtimeClassName": (None, "nvidia"),
}
"""By path below `spec`: a value, and another one. None leaves the field out."""

WHOLE = ("networkPolicy.from", "scheduling.affinity")
"""Fields that are handed on to Kubernetes as they are, with all that they hold: one probe stands for the whole."""

SMALLER: dict[str, tuple[Any, Any]] = {"cache.size": ("40Gi", "20Gi")}
"""The same for values that a rule refuses because of the one before."""
